using System.Text;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Access;

/// <summary>
/// What pods know this server by: its certificate in every namespace, and tokens in Secrets of the type
/// <c>kubernetes.io/service-account-token</c> (https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets).
/// </summary>
/// <param name="publishesCertificate">Whether somebody who would publish it in a cluster, a controller, is there.</param>
internal sealed class ClusterSecrets(ServiceAccountTokens tokens, string certificate, bool publishesCertificate)
{
    public const string RootCertificateName = "kube-root-ca.crt";
    public const string RootCertificateUse =
        "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or "
        + "kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

    private const string TokenType = "kubernetes.io/service-account-token";
    private const string AccountName = "kubernetes.io/service-account.name";
    private const string AccountUid = "kubernetes.io/service-account.uid";

    public bool PublishesCertificate => publishesCertificate;

    /// <summary>PEM.</summary>
    public string RootCertificate => certificate;

    /// <summary>The account whose token a Secret still waits for.</summary>
    public static string? AccountOf(StoredObject secret) =>
        secret.Content["type"].AsString() == TokenType && secret.Content.At("data", "token") is null
            ? secret.Content.At("metadata", "annotations", AccountName).AsString()
            : null;

    public JsonObject Filled(StoredObject secret, StoredObject account)
    {
        var filled = secret.Copy();
        filled.Metadata().Remove("resourceVersion");
        var (token, _) = tokens.Issue(account, [], null, new BoundObject("Secret", secret.Key.Name, secret.Content.Uid()));
        var data = filled.Child("data");
        data["token"] = Base64(token);
        data["ca.crt"] = Base64(certificate);
        data["namespace"] = Base64(secret.Key.Namespace);
        filled.Metadata().Child("annotations")[AccountUid] = account.Content.Uid();
        return filled;
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
