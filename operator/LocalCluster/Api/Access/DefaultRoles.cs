using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Api.Access;

/// <summary>
/// The roles that every cluster has for people (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings),
/// with the rules that concern what is served here. They are objects like any others: who takes a rule away has taken it away.
/// </summary>
internal static class DefaultRoles
{
    private const string Bootstrapping = "kubernetes.io/bootstrapping";

    public static IEnumerable<JsonObject> All() => Roles().Concat(Bindings());

    private static IEnumerable<JsonObject> Roles() =>
    [
        Role("cluster-admin", """[{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, {"nonResourceURLs": ["*"], "verbs": ["*"]}]"""),
        Role("system:discovery", """
            [{"nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"], "verbs": ["get"]}]
            """),
        Role("system:public-info-viewer", """[{"nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"], "verbs": ["get"]}]"""),
        Role("system:basic-user", """
            [{"apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], "verbs": ["create"]},
             {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]}]
            """),
        Role("system:auth-delegator", """
            [{"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
             {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]}]
            """),
        Aggregated("admin", "rbac.authorization.k8s.io/aggregate-to-admin"),
        Aggregated("edit", "rbac.authorization.k8s.io/aggregate-to-edit", "rbac.authorization.k8s.io/aggregate-to-admin"),
        Aggregated("view", "rbac.authorization.k8s.io/aggregate-to-view", "rbac.authorization.k8s.io/aggregate-to-edit"),
        Part("system:aggregate-to-admin", "admin", """
            [{"apiGroups": ["authorization.k8s.io"], "resources": ["localsubjectaccessreviews"], "verbs": ["create"]},
             {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["rolebindings", "roles"],
              "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]}]
            """),
        Part("system:aggregate-to-edit", "edit", """
            [{"apiGroups": [""], "resources": ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"], "verbs": ["get", "list", "watch"]},
             {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"]},
             {"apiGroups": [""], "resources": ["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"],
              "verbs": ["create", "delete", "deletecollection", "patch", "update"]},
             {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
             {"apiGroups": [""], "resources": ["configmaps", "events", "persistentvolumeclaims", "secrets", "serviceaccounts", "services", "services/proxy"],
              "verbs": ["create", "delete", "deletecollection", "patch", "update"]},
             {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]},
             {"apiGroups": ["apps"], "resources": ["deployments", "deployments/scale", "replicasets", "replicasets/scale"],
              "verbs": ["create", "delete", "deletecollection", "patch", "update"]},
             {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "delete", "deletecollection", "patch", "update"]},
             {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": ["create", "delete", "deletecollection", "patch", "update"]},
             {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"],
              "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]}]
            """),
        Part("system:aggregate-to-view", "view", """
            [{"apiGroups": [""], "resources": ["configmaps", "endpoints", "persistentvolumeclaims", "persistentvolumeclaims/status", "pods", "serviceaccounts", "services", "services/status"],
              "verbs": ["get", "list", "watch"]},
             {"apiGroups": [""], "resources": ["events", "namespaces", "namespaces/status", "pods/log", "pods/status"], "verbs": ["get", "list", "watch"]},
             {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["get", "list", "watch"]},
             {"apiGroups": ["apps"], "resources": ["deployments", "deployments/scale", "deployments/status", "replicasets", "replicasets/scale", "replicasets/status"],
              "verbs": ["get", "list", "watch"]},
             {"apiGroups": ["batch"], "resources": ["jobs", "jobs/status"], "verbs": ["get", "list", "watch"]},
             {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets", "poddisruptionbudgets/status"], "verbs": ["get", "list", "watch"]}]
            """),
    ];

    private static IEnumerable<JsonObject> Bindings() =>
    [
        Binding("cluster-admin", Requester.Masters),
        Binding("system:discovery", Requester.Authenticated),
        Binding("system:basic-user", Requester.Authenticated),
        Binding("system:public-info-viewer", Requester.Authenticated, "system:unauthenticated"),
    ];

    private static JsonObject Role(string name, string rules) =>
        Named("ClusterRole", name, new JsonObject { [Bootstrapping] = "rbac-defaults" }).With("rules", JsonNode.Parse(rules)!);

    private static JsonObject Part(string name, string of, string rules) => Named("ClusterRole", name, new JsonObject
    {
        [Bootstrapping] = "rbac-defaults", [$"rbac.authorization.k8s.io/aggregate-to-{of}"] = "true",
    }).With("rules", JsonNode.Parse(rules)!);

    /// <summary>A role whose rules are those of all that carry a label, and which may itself be a part of the next one.</summary>
    private static JsonObject Aggregated(string name, string parts, string? partOf = null)
    {
        var labels = new JsonObject { [Bootstrapping] = "rbac-defaults" };
        if (partOf is not null)
            labels[partOf] = "true";
        var rule = new JsonObject { ["clusterRoleSelectors"] = new JsonArray(new JsonObject { ["matchLabels"] = new JsonObject { [parts] = "true" } }) };
        return Named("ClusterRole", name, labels).With("aggregationRule", rule).With("rules", new JsonArray());
    }

    private static JsonObject Binding(string role, params string[] groups) =>
        Named("ClusterRoleBinding", role, new JsonObject { [Bootstrapping] = "rbac-defaults" })
            .With("roleRef", new JsonObject { ["apiGroup"] = RoleBasedAccess.Group, ["kind"] = "ClusterRole", ["name"] = role })
            .With("subjects", new JsonArray([.. groups.Select(group => (JsonNode)new JsonObject
            {
                ["apiGroup"] = RoleBasedAccess.Group, ["kind"] = "Group", ["name"] = group,
            })]));

    private static JsonObject Named(string kind, string name, JsonObject labels) => new()
    {
        ["apiVersion"] = "rbac.authorization.k8s.io/v1",
        ["kind"] = kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = name, ["labels"] = labels, ["annotations"] = new JsonObject { ["rbac.authorization.kubernetes.io/autoupdate"] = "true" },
        },
    };

    private static JsonObject With(this JsonObject obj, string member, JsonNode value)
    {
        obj[member] = value;
        return obj;
    }
}
