using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Graft.LocalCluster.Api.Access;

/// <summary>What a token is bound to beside its account: it is worth nothing once that is gone.</summary>
/// <param name="Kind"><c>Pod</c> or <c>Secret</c>.</param>
internal sealed record BoundObject(string Kind, string Name, string Uid);

/// <summary>
/// Tokens of service accounts: signed, with the claims of KEP-1205 (bound service account tokens), good as long as their account, and
/// what they are bound to, are there.
/// </summary>
internal sealed class ServiceAccountTokens : IDisposable
{
    /// <summary>Whom tokens are for, and who issued them, where nobody says otherwise.</summary>
    public const string Issuer = "https://kubernetes.default.svc.cluster.local";

    private const string Claim = "kubernetes.io";
    private static readonly GroupResource Accounts = new("", "serviceaccounts");

    private readonly ECDsa _key;
    private readonly ECDsaSecurityKey _signing;
    private readonly ObjectStore _store;
    private readonly TimeProvider _time;
    private readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false };

    public ServiceAccountTokens(ECDsa key, ObjectStore store, TimeProvider time)
    {
        (_key, _store, _time) = (key, store, time);
        _signing = new ECDsaSecurityKey(key) { KeyId = Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))[..16] };
    }

    /// <param name="life">Null for the tokens in Secrets, which do not end by themselves.</param>
    /// <param name="pod">The pod of a <see cref="BoundObject"/>, for the name of its node.</param>
    public (string Token, DateTimeOffset? Expires) Issue(
        StoredObject account, IReadOnlyList<string> audiences, TimeSpan? life, BoundObject? bound, StoredObject? pod = null)
    {
        var now = _time.GetUtcNow();
        var expires = now + life;
        var facts = new Dictionary<string, object>
        {
            ["namespace"] = account.Key.Namespace,
            ["serviceaccount"] = new Dictionary<string, object> { ["name"] = account.Key.Name, ["uid"] = account.Content.Uid() },
        };
        if (bound is not null)
            facts[bound.Kind.ToLowerInvariant()] = new Dictionary<string, object> { ["name"] = bound.Name, ["uid"] = bound.Uid };
        if (pod?.Content.At("spec", "nodeName").AsString() is { Length: > 0 } node)
            facts["node"] = new Dictionary<string, object> { ["name"] = node };
        var claims = new Dictionary<string, object>
        {
            ["iss"] = Issuer,
            ["sub"] = Requester.ServiceAccount(account.Key.Namespace, account.Key.Name),
            ["aud"] = audiences.Count > 0 ? audiences.ToArray() : [Issuer],
            ["iat"] = now.ToUnixTimeSeconds(),
            ["nbf"] = now.ToUnixTimeSeconds(),
            ["jti"] = Guid.NewGuid().ToString(),
            [Claim] = facts,
        };
        if (expires is { } end)
            claims["exp"] = end.ToUnixTimeSeconds();
        var token = _handler.CreateToken(new SecurityTokenDescriptor
        {
            Claims = claims,
            SigningCredentials = new SigningCredentials(_signing, SecurityAlgorithms.EcdsaSha256),
        });
        return (token, expires);
    }

    /// <summary>Who a token speaks for, and for which of the audiences; null when it is worth nothing (any more).</summary>
    public (Requester Who, IReadOnlyList<string> Audiences)? Authenticate(string token, IReadOnlyList<string> audiences)
    {
        if (!_handler.CanReadToken(token))
            return null;
        var result = _handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            IssuerSigningKey = _signing, ValidIssuer = Issuer, ValidAudiences = audiences, RequireExpirationTime = false,
            LifetimeValidator = (notBefore, ends, _, _) => IsNow(notBefore, ends),
        }).GetAwaiter().GetResult();
        if (!result.IsValid || !result.Claims.TryGetValue(Claim, out var claim) || claim is not JsonElement facts)
            return null;
        var known = JsonObject.Create(facts);
        var (ns, name) = (known.At("namespace").AsString() ?? "", known.At("serviceaccount", "name").AsString() ?? "");
        if (!IsThere(Accounts, ns, known.At("serviceaccount")) || !IsThere(new("", "pods"), ns, known.At("pod"))
            || !IsThere(new("", "secrets"), ns, known.At("secret")))
            return null;
        var named = ((JsonWebToken)result.SecurityToken).Audiences.Intersect(audiences, StringComparer.Ordinal).ToList();
        var user = Requester.ServiceAccount(ns, name);
        var who = new Requester(user, Requester.GroupsOf(user))
        {
            Uid = known.At("serviceaccount", "uid").AsString() ?? "",
            Extra = ExtraOf(known!, ((JsonWebToken)result.SecurityToken).Id),
        };
        return (who, named);
    }

    public void Dispose() => _key.Dispose();

    private bool IsNow(DateTime? notBefore, DateTime? ends)
    {
        var now = _time.GetUtcNow().UtcDateTime;
        return (notBefore is null || now >= notBefore) && (ends is null || now < ends);
    }

    private bool IsThere(GroupResource resource, string ns, JsonNode? named) => named is null
        || (_store.Get(resource, new ObjectKey(ns, named.At("name").AsString() ?? ""))?.Content is { } obj && obj.Uid() == named.At("uid").AsString());

    private static Dictionary<string, IReadOnlyList<string>> ExtraOf(JsonObject facts, string id)
    {
        var extra = new Dictionary<string, IReadOnlyList<string>> { ["authentication.kubernetes.io/credential-id"] = [$"JTI={id}"] };
        foreach (var (claim, prefix) in new[] { ("pod", "pod"), ("node", "node") })
        {
            foreach (var member in (string[])["name", "uid"])
            {
                if (facts.At(claim, member).AsString() is { Length: > 0 } value)
                    extra[$"authentication.kubernetes.io/{prefix}-{member}"] = [value];
            }
        }
        return extra;
    }
}
