using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class Authorization
{
    private const string Rbac = "/apis/rbac.authorization.k8s.io/v1";
    private const string Reviews = "/apis/authorization.k8s.io/v1";

    public static Area Area => new("Authorization",
    [
        new("Nobody may do what no role allows, and the refusal says who may not do what", Sources.Rbac, async s =>
            (await s.WorkerAsync(HttpMethod.Get, s.ConfigMap("a"))).Refuses(403, "Forbidden", "configmaps \"a\" is forbidden",
                $"User \"system:serviceaccount:{s.Name}:worker\" cannot get resource \"configmaps\" in API group \"\" in the namespace \"{s.Name}\"")),
        new("A refusal at the cluster's scope says so", Sources.Rbac, async s =>
            (await s.WorkerAsync(HttpMethod.Get, "/api/v1/nodes")).Refuses(403, "Forbidden", "cannot list resource \"nodes\" in API group \"\" at the cluster scope")),
        new("A role that is bound in a namespace allows its verbs on its resources there and nothing else", Sources.Rbac, async s =>
        {
            await AllowAsync(s, """[{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create"]}]""");

            (await s.WorkerAsync(HttpMethod.Post, s.ConfigMaps, Make.ConfigMap("a"))).Is(201);
            (await s.WorkerAsync(HttpMethod.Get, s.ConfigMap("a"))).Is(200);
            (await s.WorkerAsync(HttpMethod.Delete, s.ConfigMap("a"))).Is(403);
            (await s.WorkerAsync(HttpMethod.Get, s.Secrets)).Is(403);
            (await s.WorkerAsync(HttpMethod.Get, "/api/v1/namespaces/default/configmaps/a")).Is(403);
        }),
        new("A subresource needs a rule of its own", Sources.Rbac, async s =>
        {
            await s.DeploymentAsync("a", "\"paused\": true");
            await AllowAsync(s, """[{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}]""");

            (await s.WorkerAsync(HttpMethod.Get, s.Deployment("a"))).Is(200);
            (await s.WorkerAsync(HttpMethod.Get, $"{s.Deployment("a")}/scale")).Refuses(403, "Forbidden", "cannot get resource \"deployments/scale\" in API group \"apps\"");
        }),
        new("A rule for names allows those alone", Sources.Rbac, async s =>
        {
            await s.ConfigMapAsync("mine");
            await s.ConfigMapAsync("other");
            await AllowAsync(s, """[{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"], "resourceNames": ["mine"]}]""");

            (await s.WorkerAsync(HttpMethod.Get, s.ConfigMap("mine"))).Is(200);
            (await s.WorkerAsync(HttpMethod.Get, s.ConfigMap("other"))).Is(403);
            (await s.WorkerAsync(HttpMethod.Get, s.ConfigMaps)).Is(403);
        }),
        new("A list of one name is allowed by a rule for that name", Sources.Rbac, async s =>
        {
            await s.ConfigMapAsync("mine");
            await AllowAsync(s, """[{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"], "resourceNames": ["mine"]}]""");

            Assert.Equal(["mine"], (await s.WorkerAsync(HttpMethod.Get, $"{s.ConfigMaps}?fieldSelector=metadata.name%3Dmine")).Is(200).Names);
            (await s.WorkerAsync(HttpMethod.Get, $"{s.ConfigMaps}?fieldSelector=metadata.name%3Dother")).Is(403);
        }),
        new("Asterisks in rules stand for everything", Sources.Rbac, async s =>
        {
            await AllowAsync(s, """[{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]""");

            (await s.WorkerAsync(HttpMethod.Post, s.Widgets, s.Server.Widgets.Make("a"))).Is(201);
            (await s.WorkerAsync(HttpMethod.Delete, s.Widgets)).Is(200);
        }),
        new("Deleting a collection is a verb of its own", Sources.RequestVerbs, async s =>
        {
            await AllowAsync(s, """[{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["delete"]}]""");

            (await s.WorkerAsync(HttpMethod.Delete, s.ConfigMaps)).Refuses(403, "Forbidden", "cannot deletecollection resource \"configmaps\"");
        }),
        new("Applying what is not there needs the right to create it", Sources.ApplyAndUpdate, async s =>
        {
            await AllowAsync(s, """[{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]}]""");

            (await s.WorkerAsync(HttpMethod.Patch, $"{s.ConfigMap("a")}?fieldManager=one", Make.ConfigMap("a"), "application/apply-patch+yaml"))
                .Refuses(403, "Forbidden", "cannot create resource \"configmaps\"");
            await s.ConfigMapAsync("a");
            (await s.WorkerAsync(HttpMethod.Patch, $"{s.ConfigMap("a")}?fieldManager=one", Make.ConfigMap("a"), "application/apply-patch+yaml")).Is(200);
        }),
        new("All service accounts of a namespace are a group", Sources.ServiceAccounts, async s =>
        {
            await AllowAsync(s, """[{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}]""",
                $$"""{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:serviceaccounts:{{s.Name}}"}""");

            (await s.WorkerAsync(HttpMethod.Get, s.ConfigMaps, worker: "anyone")).Is(200);
        }),
        new("A binding in a namespace gives a ClusterRole's rules there alone", Sources.Rbac, async s =>
        {
            await BindAsync(s, "ClusterRole", "view");

            (await s.WorkerAsync(HttpMethod.Get, s.ConfigMaps)).Is(200);
            (await s.WorkerAsync(HttpMethod.Get, s.Secrets)).Is(403);
            (await s.WorkerAsync(HttpMethod.Get, "/api/v1/configmaps")).Is(403);
        }),
        new("Everybody may read discovery", Sources.DefaultRoles, async s =>
        {
            foreach (var path in (string[])["/api", "/apis", "/apis/apps/v1", "/openapi/v3", "/version"])
                (await s.WorkerAsync(HttpMethod.Get, path)).Is(200);
        }),
        new("A path that no role allows is refused", Sources.Rbac, async s =>
            (await s.WorkerAsync(HttpMethod.Get, "/metrics")).Refuses(403, "Forbidden", "cannot get path \"/metrics\"")),
        new("Nobody writes a role with rights that he does not have", Sources.Escalation, async s =>
        {
            await AllowAsync(s, """
                [{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["create"]},
                 {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]
                """);

            (await s.WorkerAsync(HttpMethod.Post, $"{Rbac}/namespaces/{s.Name}/roles", Role("less", """[{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]"""))).Is(201);
            (await s.WorkerAsync(HttpMethod.Post, $"{Rbac}/namespaces/{s.Name}/roles", Role("more", """[{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]""")))
                .Refuses(403, "Forbidden", "is attempting to grant RBAC permissions not currently held", "Resources:[\"secrets\"]", "Verbs:[\"get\"]");
        }),
        new("Nobody binds a role with rights that he does not have", Sources.Escalation, async s =>
        {
            await AllowAsync(s, """[{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["rolebindings"], "verbs": ["create"]}]""");

            (await s.WorkerAsync(HttpMethod.Post, $"{Rbac}/namespaces/{s.Name}/rolebindings", Binding("more", "ClusterRole", "view", Worker(s))))
                .Refuses(403, "Forbidden", "is attempting to grant RBAC permissions not currently held");
        }),
        new("The verb bind lets one bind what one does not have", Sources.Escalation, async s =>
        {
            await AllowAsync(s, """
                [{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["rolebindings"], "verbs": ["create"]},
                 {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["bind"], "resourceNames": ["view"]}]
                """);

            (await s.WorkerAsync(HttpMethod.Post, $"{Rbac}/namespaces/{s.Name}/rolebindings", Binding("more", "ClusterRole", "view", Worker(s)))).Is(201);
        }),
        new("The role of a binding cannot change", Sources.Rbac, async s =>
        {
            await BindAsync(s, "ClusterRole", "view");

            (await s.PatchAsync($"{Rbac}/namespaces/{s.Name}/rolebindings/bound", "merge", """{"roleRef": {"name": "edit"}}"""))
                .Refuses(422, "Invalid", "roleRef: Invalid value", "cannot change roleRef");
        }),
        new("A ClusterRole may be made of all that carry a label", Sources.Aggregation, async s =>
        {
            var (whole, part, label) = ($"{s.Name}-whole", $"{s.Name}-part", $"example.com/{s.Name}");
            var role = Role(whole, "[]");
            role["kind"] = "ClusterRole";
            role["aggregationRule"] = JsonNode.Parse($$$"""{"clusterRoleSelectors": [{"matchLabels": {"{{{label}}}": "true"}}]}""");
            (await s.PostAsync($"{Rbac}/clusterroles", role)).Is(201);
            var rules = """[{"apiGroups": ["example.com"], "resources": ["things"], "verbs": ["get"]}]""";
            var added = Role(part, rules).With("true", "metadata", "labels", label);
            added["kind"] = "ClusterRole";
            (await s.PostAsync($"{Rbac}/clusterroles", added)).Is(201);

            await s.UntilAsync("the rules are taken over", async () =>
                JsonNode.DeepEquals(JsonNode.Parse(rules), (await s.GetAsync($"{Rbac}/clusterroles/{whole}")).At("rules")));
            (await s.DeleteAsync($"{Rbac}/clusterroles/{part}")).Is(200);
            (await s.DeleteAsync($"{Rbac}/clusterroles/{whole}")).Is(200);
        }),
        new("Who may not impersonate cannot act in another's name", Sources.Impersonation, async s =>
        {
            var token = await Tokens.TokenAsync(s, "worker");

            using var api = s.Server.Api.WithToken(token);
            (await api.SendAsAsync("jane", HttpMethod.Get, s.ConfigMaps, null, null))
                .Refuses(403, "Forbidden", "users \"jane\" is forbidden", "cannot impersonate resource \"users\" in API group \"\" at the cluster scope");
        }),
        new("A review of oneself answers by one's roles", Sources.Reviews, async s =>
        {
            await AllowAsync(s, """[{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}]""");

            (await MayAsync(s, "list", "configmaps")).Equal(true, "status", "allowed");
            (await MayAsync(s, "list", "secrets")).Equal(false, "status", "allowed");
        }),
        new("A review of another needs user and groups, and answers for them", Sources.Reviews, async s =>
        {
            await AllowAsync(s, """[{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}]""");
            var spec = Json.Object($$$"""
                {"user": "system:serviceaccount:{{{s.Name}}}:worker", "resourceAttributes": {"namespace": "{{{s.Name}}}", "verb": "list", "resource": "configmaps"}}
                """);

            (await s.PostAsync($"{Reviews}/subjectaccessreviews", Review("SubjectAccessReview", spec))).Is(201).Equal(true, "status", "allowed");
        }),
        new("A review of rules lists what one may do in a namespace", Sources.Reviews, async s =>
        {
            await AllowAsync(s, """[{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}]""");

            var answer = (await s.WorkerAsync(HttpMethod.Post, $"{Reviews}/selfsubjectrulesreviews",
                Review("SelfSubjectRulesReview", new JsonObject { ["namespace"] = s.Name }))).Is(201);

            Assert.Contains(answer.At("status", "resourceRules")!.AsArray(), rule => rule!["resources"]!.ToJsonString() == """["configmaps"]""");
        }),
    ]);

    private static async Task<Answer> MayAsync(Space s, string verb, string resource) => (await s.WorkerAsync(HttpMethod.Post,
        $"{Reviews}/selfsubjectaccessreviews", Review("SelfSubjectAccessReview", Json.Object(
            $$$"""{"resourceAttributes": {"namespace": "{{{s.Name}}}", "verb": "{{{verb}}}", "resource": "{{{resource}}}"}}""")))).Is(201);

    private static JsonObject Review(string kind, JsonObject spec) =>
        new() { ["apiVersion"] = "authorization.k8s.io/v1", ["kind"] = kind, ["spec"] = spec };

    /// <summary>A role with these rules, bound to the worker or to somebody else.</summary>
    private static async Task AllowAsync(Space s, string rules, string? subject = null)
    {
        (await s.PostAsync($"{Rbac}/namespaces/{s.Name}/roles", Role("allowed", rules))).Is(201);
        await BindAsync(s, "Role", "allowed", subject);
    }

    private static async Task BindAsync(Space s, string kind, string role, string? subject = null)
    {
        (await s.PostAsync($"{Rbac}/namespaces/{s.Name}/rolebindings", Binding("bound", kind, role, subject ?? Worker(s)))).Is(201);
        // Authorizers read roles from caches that follow by a moment.
        await s.UntilAsync("the binding counts", async () =>
        {
            var review = await s.WorkerAsync(HttpMethod.Post, $"{Reviews}/selfsubjectrulesreviews",
                Review("SelfSubjectRulesReview", new JsonObject { ["namespace"] = s.Name }));
            return review.Is(201).At("status", "resourceRules") is JsonArray rules
                && rules.Any(rule => rule!["apiGroups"]!.ToJsonString() is not ("[\"authorization.k8s.io\"]" or "[\"authentication.k8s.io\"]"));
        });
    }

    private static string Worker(Space s) => $$"""{"kind": "ServiceAccount", "namespace": "{{s.Name}}", "name": "worker"}""";

    private static JsonObject Role(string name, string rules)
    {
        var role = Make.Named("rbac.authorization.k8s.io/v1", "Role", name);
        role["rules"] = JsonNode.Parse(rules);
        return role;
    }

    private static JsonObject Binding(string name, string kind, string role, string subject)
    {
        var binding = Make.Named("rbac.authorization.k8s.io/v1", "RoleBinding", name);
        binding["roleRef"] = new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = kind, ["name"] = role };
        binding["subjects"] = new JsonArray(JsonNode.Parse(subject));
        return binding;
    }
}
