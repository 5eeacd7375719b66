using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Graft.LocalCluster.Api.Access;

/// <summary>
/// From a bearer token to whom it belongs to: the administrator, somebody whom this process gave one, or a service account.
/// </summary>
internal sealed class Authenticator(string administrator, ServiceAccountTokens accounts)
{
    private static readonly string[] OwnAudiences = [ServiceAccountTokens.Issuer];

    private readonly byte[] _administrator = Encoding.UTF8.GetBytes(administrator);
    private readonly ConcurrentDictionary<string, byte[]> _others = new(StringComparer.Ordinal);

    public static string NewToken() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    /// <summary>A new token for a user; the one that it had before is worth nothing then.</summary>
    public string Issue(string user)
    {
        var token = NewToken();
        _others[user] = Encoding.UTF8.GetBytes(token);
        return token;
    }

    /// <param name="audiences">For whom it has to be; none asks for this server's own.</param>
    public (Requester Who, IReadOnlyList<string> Audiences)? Find(string token, IReadOnlyList<string> audiences)
    {
        var given = Encoding.UTF8.GetBytes(token);
        var wanted = audiences.Count > 0 ? audiences : OwnAudiences;
        if (CryptographicOperations.FixedTimeEquals(given, _administrator))
            return (Requester.Administrator, OwnAudiences);
        foreach (var (user, known) in _others)
        {
            if (CryptographicOperations.FixedTimeEquals(given, known))
                return (Requester.Named(user), OwnAudiences);
        }
        return accounts.Authenticate(token, wanted);
    }
}
