using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Writing;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;
using Microsoft.AspNetCore.Http.Features;

namespace Graft.LocalCluster.Api.Access;

/// <summary>
/// Answers whether somebody may do something (<c>kubectl auth can-i</c>) by what decides about their requests: oneself
/// (SelfSubjectAccessReview), anybody (SubjectAccessReview), anybody in one namespace (LocalSubjectAccessReview).
/// </summary>
internal sealed class AccessReviews(RoleBasedAccess roles)
{
    /// <exception cref="ApiException">400, 415 or 422: the question cannot be read, or is none.</exception>
    public async Task AnswerAsync(HttpContext http, ResourceKind kind, RequestTarget target)
    {
        if (target.Name.Length > 0)
            throw ApiException.NoSuchResource();
        if (!HttpMethods.IsPost(http.Request.Method))
            throw ApiException.MethodNotAllowed();
        var review = await ResourceHandler.ReadObjectAsync(http, kind, target, WriteOptions.Of(http.Request));
        var spec = review.Child("spec");
        Check(kind, review, spec);
        var requester = http.Features.GetRequiredFeature<Requester>();
        var asked = kind.Kind.StartsWith("SelfSubject", StringComparison.Ordinal)
            ? requester
            : new Requester(spec["user"].AsString() ?? "", spec["groups"].Strings());
        review["status"] = kind.Kind == "SelfSubjectRulesReview" ? Rules(asked, spec["namespace"].AsString() ?? "") : Decide(asked, RequestOf(spec));
        await Responses.WriteAsync(http, 201, review);
    }

    private JsonObject Decide(Requester asked, AccessRequest request)
    {
        if (asked.IsAdministrator)
            return new JsonObject { ["allowed"] = true, ["reason"] = "an administrator may do everything" };
        return roles.Allows(asked, request)
            ? new JsonObject { ["allowed"] = true, ["reason"] = "RBAC: a role that is bound to the user allows it" }
            : new JsonObject { ["allowed"] = false };
    }

    /// <summary>Everything that somebody may do in a namespace (<c>kubectl auth can-i --list</c>).</summary>
    private JsonObject Rules(Requester asked, string ns)
    {
        var rules = asked.IsAdministrator
            ? [new PolicyRule(["*"], ["*"], ["*"], [], []), new PolicyRule(["*"], [], [], [], ["*"])]
            : roles.RulesOf(asked, ns).ToList();
        return new JsonObject
        {
            ["resourceRules"] = new JsonArray([.. rules.Where(rule => rule.Resources.Count > 0).Select(ResourceRule)]),
            ["nonResourceRules"] = new JsonArray([.. rules.Where(rule => rule.Urls.Count > 0).Select(rule => (JsonNode)new JsonObject
            {
                ["verbs"] = rule.Verbs.ToJsonArray(), ["nonResourceURLs"] = rule.Urls.ToJsonArray(),
            })]),
            ["incomplete"] = false,
        };
    }

    private static JsonNode ResourceRule(PolicyRule rule)
    {
        var written = new JsonObject
        {
            ["verbs"] = rule.Verbs.ToJsonArray(), ["apiGroups"] = rule.Groups.ToJsonArray(), ["resources"] = rule.Resources.ToJsonArray(),
        };
        if (rule.Names.Count > 0)
            written["resourceNames"] = rule.Names.ToJsonArray();
        return written;
    }

    /// <summary>The real server's rules (kubernetes, pkg/apis/authorization/validation).</summary>
    private static void Check(ResourceKind kind, JsonObject review, JsonObject spec)
    {
        if (kind.Kind == "SelfSubjectRulesReview")
        {
            if (string.IsNullOrEmpty(spec["namespace"].AsString()))
                throw ApiException.BadRequest("no namespace on request");
            return;
        }
        var errors = new List<FieldError>();
        var (resource, path) = (spec["resourceAttributes"], spec["nonResourceAttributes"]);
        if (resource is not null && path is not null)
        {
            errors.Add(FieldError.Invalid(
                "spec.nonResourceAttributes", path.DeepClone(), "cannot be specified in combination with resourceAttributes"));
        }
        if (resource is null && path is null)
        {
            errors.Add(FieldError.Invalid(
                "spec.resourceAttributes", null, "exactly one of nonResourceAttributes or resourceAttributes must be specified"));
        }
        if (kind.Kind != "SelfSubjectAccessReview" && string.IsNullOrEmpty(spec["user"].AsString()) && spec["groups"].Strings().Count == 0)
            errors.Add(FieldError.Invalid("spec.user", "", "at least one of user or group must be specified"));
        if (kind.Namespaced && path is not null)
            errors.Add(FieldError.Invalid("spec.nonResourceAttributes", path.DeepClone(), "disallowed on this kind of request"));
        if (kind.Namespaced && resource is not null && (resource["namespace"].AsString() ?? "") is var ns && ns != review.Namespace())
            errors.Add(FieldError.Invalid("spec.resourceAttributes.namespace", ns, "must match metadata.namespace"));
        if (errors.Count > 0)
            throw ApiException.Invalid(kind, review.Name(), errors);
    }

    private static AccessRequest RequestOf(JsonObject spec)
    {
        if (spec["nonResourceAttributes"] is { } url)
            return new AccessRequest(Text(url, "verb"), Path: Text(url, "path"));
        var resource = spec["resourceAttributes"];
        return new AccessRequest(
            Text(resource, "verb"), Text(resource, "group"), Text(resource, "resource"), Text(resource, "subresource"),
            Text(resource, "namespace"), Text(resource, "name"));
    }

    private static string Text(JsonNode? node, string member) => node.At(member).AsString() ?? "";
}
