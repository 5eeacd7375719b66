using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Writing;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Access;

/// <summary>
/// <c>POST serviceaccounts/NAME/token</c>: a token for an account, for a time, perhaps bound to a pod
/// (authentication.k8s.io/v1 TokenRequest; kubernetes/pkg/registry/core/serviceaccount/storage/token.go).
/// </summary>
internal sealed class TokenRequests(ObjectStore store, ServiceAccountTokens tokens)
{
    private const long DefaultSeconds = 3600;
    private const long LeastSeconds = 600;
    private const long MostSeconds = 1L << 32;
    private static readonly GroupResource Accounts = new("", "serviceaccounts");

    public async Task AnswerAsync(HttpContext http, RequestTarget target)
    {
        if (!HttpMethods.IsPost(http.Request.Method))
            throw ApiException.MethodNotAllowed();
        var body = ProtobufBody.IsIn(http.Request)
            ? ProtobufBody.Parse(await BodyDecoder.ReadBytesAsync(http.Request), "TokenRequest")
            : await BodyDecoder.ReadAsync(http.Request, []) as JsonObject ?? throw ApiException.BadRequest("the body is no TokenRequest");
        var spec = body.Child("spec");
        var account = store.Get(Accounts, new ObjectKey(target.Namespace, target.Name)) ?? throw ApiException.NotFound(Accounts, target.Name);
        var seconds = spec["expirationSeconds"].AsLong() ?? DefaultSeconds;
        Check(seconds);
        var (bound, pod) = Bound(target.Namespace, spec["boundObjectRef"]);
        var audiences = spec["audiences"].Strings();
        var (token, expires) = tokens.Issue(account, audiences, TimeSpan.FromSeconds(seconds), bound, pod);
        spec["audiences"] = (audiences.Count > 0 ? audiences : [ServiceAccountTokens.Issuer]).ToJsonArray();
        spec["expirationSeconds"] = seconds;
        body["kind"] = "TokenRequest";
        body["apiVersion"] = "authentication.k8s.io/v1";
        body["metadata"] = new JsonObject
        {
            ["name"] = target.Name, ["namespace"] = target.Namespace, ["creationTimestamp"] = (expires!.Value - TimeSpan.FromSeconds(seconds)).ToTimestamp(),
        };
        body["status"] = new JsonObject { ["token"] = token, ["expirationTimestamp"] = expires.Value.ToTimestamp() };
        await Responses.WriteAsync(http, 201, body);
    }

    /// <summary>The real server's bounds (kubernetes/pkg/apis/authentication/validation).</summary>
    private static void Check(long seconds)
    {
        var fault = seconds < LeastSeconds ? "may not specify a duration less than 10 minutes"
            : seconds > MostSeconds ? "may not specify a duration larger than 2^32 seconds" : "";
        if (fault.Length > 0)
        {
            throw ApiException.Invalid(
                "authentication.k8s.io", "TokenRequest", "", [FieldError.Invalid("spec.expirationSeconds", seconds, fault)]);
        }
    }

    private (BoundObject? Bound, StoredObject? Pod) Bound(string ns, JsonNode? reference)
    {
        if (reference is null)
            return (null, null);
        var (kind, name, uid) = (reference["kind"].AsString() ?? "", reference["name"].AsString() ?? "", reference["uid"].AsString() ?? "");
        var resource = kind switch
        {
            "Pod" => new GroupResource("", "pods"),
            "Secret" => new GroupResource("", "secrets"),
            _ => throw ApiException.BadRequest($"cannot bind token for serviceaccount to object of type {(reference["apiVersion"].AsString() is "v1" or null ? "/v1" : reference["apiVersion"].AsString())}, Kind={kind}"),
        };
        var found = store.Get(resource, new ObjectKey(ns, name)) ?? throw ApiException.NotFound(resource, name);
        if (uid.Length > 0 && uid != found.Content.Uid())
        {
            throw ApiException.Conflict(resource, name,
                $"the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated");
        }
        return (new BoundObject(kind, name, found.Content.Uid()), kind == "Pod" ? found : null);
    }
}
