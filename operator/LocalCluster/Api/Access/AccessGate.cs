using System.Net;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Access;

/// <summary>
/// Who may talk to the server, and what about: only under a loopback name, so that no web page can reach it through a name that its
/// owner points here, and only with a token. What its owner may do, stored roles say. Health paths need no token.
/// </summary>
internal sealed class AccessGate(Authenticator authenticator, RoleBasedAccess roles, ObjectStore store, Action<AccessRecord>? audit)
{
    private const string Bearer = "Bearer ";
    private const string ImpersonatedUser = "Impersonate-User";
    private const string ImpersonatedGroup = "Impersonate-Group";

    /// <summary>Lets a request pass; it knows its <see cref="Requester"/> then.</summary>
    /// <exception cref="ApiException">401 or 403: the request may not pass.</exception>
    public void Check(HttpContext http)
    {
        var request = http.Request;
        if (!IsLoopback(request.Host.Host))
            throw new ApiException(403, "Forbidden", $"forbidden: the host \"{request.Host.Host}\" is not this machine's loopback");
        if (IsHealth(request.Path.Value ?? ""))
            return;
        var given = request.Headers.Authorization.ToString();
        var found = given.StartsWith(Bearer, StringComparison.Ordinal) ? authenticator.Find(given[Bearer.Length..], []) : null;
        var who = found?.Who ?? throw new ApiException(401, "Unauthorized", "Unauthorized");
        who = Impersonated(request, who);
        http.Features.Set(who);
        if (who.IsAdministrator)
            return;
        foreach (var access in Needed(request))
            Require(who, access);
    }

    private void Require(Requester who, AccessRequest access)
    {
        var allowed = roles.Allows(who, access);
        audit?.Invoke(new AccessRecord(who.User, access, allowed));
        if (!allowed)
            throw RoleBasedAccess.Forbidden(who, access);
    }

    /// <summary>
    /// Whom the request is made in the name of (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation).
    /// </summary>
    private Requester Impersonated(HttpRequest request, Requester who)
    {
        var (user, groups) = (request.Headers[ImpersonatedUser].ToString(), request.Headers[ImpersonatedGroup].OfType<string>().ToList());
        if (user.Length == 0)
        {
            return groups.Count == 0
                ? who
                : throw ApiException.BadRequest("requested [{\"Group\"}] without impersonating a user");
        }
        if (!who.IsAdministrator)
        {
            Require(who, user.Split(':') is ["system", "serviceaccount", var ns, var name]
                ? new AccessRequest("impersonate", "", "serviceaccounts", Namespace: ns, Name: name)
                : new AccessRequest("impersonate", "", "users", Name: user));
            foreach (var group in groups)
                Require(who, new AccessRequest("impersonate", "", "groups", Name: group));
        }
        return groups.Count == 0 ? Requester.Named(user) : new Requester(user, [.. groups.Append(Requester.Authenticated).Distinct()]);
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

    private static bool IsHealth(string path) =>
        path is "/healthz" or "/livez" or "/readyz" || path.StartsWith("/livez/", StringComparison.Ordinal) || path.StartsWith("/readyz/", StringComparison.Ordinal);

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
