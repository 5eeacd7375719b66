using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Graft.LocalCluster.Api.Hosting;

/// <summary>
/// Who may talk to the server: whoever holds the token, and only under a loopback name, so that no web page can reach it through a name
/// that its owner points here. Health paths need no token.
/// </summary>
internal sealed class AccessGate(string token)
{
    private readonly byte[] _expected = Encoding.UTF8.GetBytes("Bearer " + token);

    /// <summary>The refusal of a request, or null if it may pass.</summary>
    public ApiException? Refuse(HttpRequest request)
    {
        if (!IsLoopback(request.Host.Host))
            return new ApiException(403, "Forbidden", $"forbidden: the host \"{request.Host.Host}\" is not this machine's loopback");
        if (request.Path.Value is "/healthz" or "/livez" or "/readyz")
            return null;
        var given = Encoding.UTF8.GetBytes(request.Headers.Authorization.ToString());
        return CryptographicOperations.FixedTimeEquals(given, _expected) ? null : new ApiException(401, "Unauthorized", "Unauthorized");
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
