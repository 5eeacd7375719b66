using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Access;

/// <summary>
/// Who may talk to the server, and what about: only under a loopback name, so that no web page can reach it through a name that its
/// owner points here, and only with a token. The administrator's may do everything; that of anybody else what stored roles allow.
/// Health paths need no token.
/// </summary>
internal sealed class AccessGate(string administrator, ObjectStore store, Action<AccessRecord>? audit)
{
    private readonly byte[] _administrator = Bearer(administrator);
    private readonly ConcurrentDictionary<string, byte[]> _others = new(StringComparer.Ordinal);
    private readonly RoleBasedAccess _roles = new(store);

    /// <summary>A new token for a user; the one that it had before is worth nothing then.</summary>
    public string Issue(string user)
    {
        var token = NewToken();
        _others[user] = Bearer(token);
        return token;
    }

    public static string NewToken() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    /// <summary>Lets a request pass; it knows its <see cref="Requester"/> then.</summary>
    /// <exception cref="ApiException">401 or 403: the request may not pass.</exception>
    public void Check(HttpContext http)
    {
        var request = http.Request;
        if (!IsLoopback(request.Host.Host))
            throw new ApiException(403, "Forbidden", $"forbidden: the host \"{request.Host.Host}\" is not this machine's loopback");
        if (request.Path.Value is "/healthz" or "/livez" or "/readyz")
            return;
        var given = Encoding.UTF8.GetBytes(request.Headers.Authorization.ToString());
        if (CryptographicOperations.FixedTimeEquals(given, _administrator))
        {
            http.Features.Set(new Requester("system:admin", true));
            return;
        }
        var user = _others.FirstOrDefault(other => CryptographicOperations.FixedTimeEquals(given, other.Value)).Key
            ?? throw new ApiException(401, "Unauthorized", "Unauthorized");
        http.Features.Set(new Requester(user, false));
        foreach (var access in Needed(request))
        {
            var allowed = _roles.Allows(user, access);
            audit?.Invoke(new AccessRecord(user, access, allowed));
            if (!allowed)
                throw RoleBasedAccess.Forbidden(user, access);
        }
    }

    /// <summary>An apply of what is not there is a creation too.</summary>
    private IEnumerable<AccessRequest> Needed(HttpRequest request)
    {
        var access = AccessRequest.Of(request);
        yield return access;
        if (access.Verb != "patch" || request.ContentType?.StartsWith("application/apply-patch", StringComparison.Ordinal) != true)
            yield break;
        if (store.Get(new GroupResource(access.Group, access.Resource), new ObjectKey(access.Namespace, access.Name)) is null)
            yield return access with { Verb = "create" };
    }

    private static byte[] Bearer(string token) => Encoding.UTF8.GetBytes("Bearer " + token);

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
