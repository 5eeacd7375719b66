using System.Security.Cryptography;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Access;

/// <summary>Everything about who somebody is and what he may do, around one store.</summary>
internal sealed class AccessControl : IDisposable
{
    private readonly AccessReviews _access;
    private readonly IdentityReviews _identity;
    private readonly TokenRequests _requests;

    /// <param name="tokenKey">Signs the tokens of service accounts; the next start with the same key takes them too.</param>
    public AccessControl(ObjectStore store, string administrator, ECDsa tokenKey, Action<AccessRecord>? audit, TimeProvider time)
    {
        Tokens = new ServiceAccountTokens(tokenKey, store, time);
        Roles = new RoleBasedAccess(store);
        Authenticator = new Authenticator(administrator, Tokens);
        Gate = new AccessGate(Authenticator, Roles, store, audit);
        _access = new AccessReviews(Roles);
        _identity = new IdentityReviews(Authenticator);
        _requests = new TokenRequests(store, Tokens);
    }

    public ServiceAccountTokens Tokens { get; }

    public RoleBasedAccess Roles { get; }

    public Authenticator Authenticator { get; }

    public AccessGate Gate { get; }

    /// <summary>Answers one of the kinds that only ask.</summary>
    public Task ReviewAsync(HttpContext http, ResourceKind kind, RequestTarget target) => kind.Group == "authentication.k8s.io"
        ? _identity.AnswerAsync(http, kind, target)
        : _access.AnswerAsync(http, kind, target);

    public Task TokenAsync(HttpContext http, RequestTarget target) => _requests.AnswerAsync(http, target);

    public void Dispose() => Tokens.Dispose();
}
