using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Access;

/// <summary>
/// Role-based access as stored Roles, ClusterRoles and their bindings say it. Rules only ever allow; what none allows is refused.
/// ServiceAccounts and users are known as subjects, groups are not.
/// </summary>
internal sealed class RoleBasedAccess(ObjectStore store)
{
    private const string Group = "rbac.authorization.k8s.io";
    private static readonly GroupResource ClusterRoles = new(Group, "clusterroles");
    private static readonly GroupResource ClusterRoleBindings = new(Group, "clusterrolebindings");
    private static readonly GroupResource Roles = new(Group, "roles");
    private static readonly GroupResource RoleBindings = new(Group, "rolebindings");

    // What a cluster lets everybody who is known do: system:discovery and system:basic-user.
    private static readonly string[] OpenPaths =
        ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", "/version", "/version/", "/healthz", "/livez", "/readyz"];

    public bool Allows(string user, AccessRequest request)
    {
        if (request.Path.Length > 0 && request.Verb is "get" or "head" && OpenPaths.Any(open => MatchesPath(open, request.Path))) return true;
        if (request is { Verb: "create", Group: "authorization.k8s.io", Resource: "selfsubjectaccessreviews" }) return true;
        return RulesOf(user, request.Namespace).Any(rule => Allows(rule, request));
    }

    /// <summary>The refusal in the real server's words.</summary>
    public static ApiException Forbidden(string user, AccessRequest request)
    {
        if (request.Path.Length > 0)
            return new(403, "Forbidden", $"forbidden: User \"{user}\" cannot {request.Verb} path \"{request.Path}\"") { Details = [] };
        var where = request.Namespace.Length > 0 ? $"in the namespace \"{request.Namespace}\"" : "at the cluster scope";
        return ApiException.Forbidden(
            new GroupResource(request.Group, request.Resource), request.Name,
            $"User \"{user}\" cannot {request.Verb} resource \"{request.RuleResource}\" in API group \"{request.Group}\" {where}");
    }

    internal static bool Allows(JsonObject rule, AccessRequest request)
    {
        if (!Has(rule["verbs"], request.Verb)) return false;
        if (request.Path.Length > 0) return rule["nonResourceURLs"].Strings().Any(url => MatchesPath(url, request.Path));
        var names = rule["resourceNames"].Strings();
        return Has(rule["apiGroups"], request.Group)
            && rule["resources"].Strings().Any(resource => MatchesResource(resource, request))
            && (names.Count == 0 || names.Contains(request.Name));
    }

    private IEnumerable<JsonObject> RulesOf(string user, string ns)
    {
        var everywhere = store.Snapshot(ClusterRoleBindings).Objects.All;
        var here = ns.Length == 0 ? [] : store.Snapshot(RoleBindings).Objects.In(ns);
        return everywhere.Concat(here)
            .Where(binding => binding.Content["subjects"].Objects().Any(subject => NameOf(subject) == user))
            .SelectMany(binding => RoleOf(binding)?["rules"].Objects() ?? []);
    }

    private JsonObject? RoleOf(StoredObject binding)
    {
        var name = binding.Content.At("roleRef", "name").AsString() ?? "";
        return binding.Content.At("roleRef", "kind").AsString() == "Role"
            ? store.Get(Roles, new ObjectKey(binding.Key.Namespace, name))?.Content
            : store.Get(ClusterRoles, new ObjectKey("", name))?.Content;
    }

    private static string? NameOf(JsonObject subject) => subject["kind"].AsString() switch
    {
        "ServiceAccount" => $"system:serviceaccount:{subject["namespace"].AsString()}:{subject["name"].AsString()}",
        "User" => subject["name"].AsString(),
        _ => null,
    };

    private static bool Has(JsonNode? list, string value) => list.Strings().Any(item => item == "*" || item == value);

    private static bool MatchesResource(string resource, AccessRequest request) =>
        resource == "*" || resource == request.RuleResource
        || (request.Subresource.Length > 0 && resource == $"*/{request.Subresource}");

    private static bool MatchesPath(string pattern, string path) =>
        pattern.EndsWith('*') ? path.StartsWith(pattern[..^1], StringComparison.Ordinal) : path == pattern;
}
