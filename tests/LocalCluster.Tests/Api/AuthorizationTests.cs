using System.Net;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Tests.Api;

/// <summary>What somebody without the administrator's token may do is what stored roles say.</summary>
public sealed class AuthorizationTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    private const string Rbac = "/apis/rbac.authorization.k8s.io/v1";

    private async Task<(string Namespace, HttpClient Http)> WithRoleAsync(string rules)
    {
        var ns = await cluster.NamespaceAsync();
        await CreateAsync($"{Rbac}/namespaces/{ns}/roles", $$"""{"metadata":{"name":"r"},"rules":{{rules}}}""");
        await BindAsync($"{Rbac}/namespaces/{ns}/rolebindings", ns, "Role", "r");
        return (ns, ConnectAs(ns));
    }

    private async Task BindAsync(string path, string ns, string kind, string role) => await CreateAsync(path, $$"""
        {"metadata":{"name":"{{role}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"{{kind}}","name":"{{role}}"},
         "subjects":[{"kind":"ServiceAccount","namespace":"{{ns}}","name":"worker"}]}
        """);

    private async Task CreateAsync(string path, string body) => Assert.Equal(201, (await cluster.PostAsync(path, body)).Code);

    private HttpClient ConnectAs(string ns) => cluster.NewHttp(cluster.Cluster.ConnectAs($"system:serviceaccount:{ns}:worker").AccessToken);

    private static async Task<(int Code, string Message)> SendAsync(
        HttpClient http, string method, string path, string? body = null, string type = "application/json")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null) request.Content = new StringContent(body, new System.Net.Http.Headers.MediaTypeHeaderValue(type));
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (response.IsSuccessStatusCode) return ((int)response.StatusCode, "");
        return ((int)response.StatusCode, (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["message"] ?? "");
    }

    [Fact]
    public async Task A_role_allows_its_verbs_on_its_resources_in_its_namespace_and_nothing_else()
    {
        var (ns, http) = await WithRoleAsync("""[{"apiGroups":[""],"resources":["configmaps"],"verbs":["get","list","watch","create"]}]""");
        using var _ = http;
        var maps = $"/api/v1/namespaces/{ns}/configmaps";
        Assert.Equal(201, (await SendAsync(http, "POST", maps, """{"metadata":{"name":"one"}}""")).Code);
        Assert.Equal(200, (await SendAsync(http, "GET", $"{maps}/one")).Code);
        Assert.Equal(200, (await SendAsync(http, "GET", maps)).Code);
        Assert.Equal(200, (await SendAsync(http, "GET", $"{maps}?watch=true&timeoutSeconds=1")).Code);
        var user = $"User \"system:serviceaccount:{ns}:worker\" cannot";
        foreach (var (method, path, words) in new[]
        {
            ("DELETE", $"{maps}/one", $"configmaps \"one\" is forbidden: {user} delete resource \"configmaps\" in API group \"\""
                + $" in the namespace \"{ns}\""),
            ("GET", "/api/v1/configmaps", $"configmaps is forbidden: {user} list resource \"configmaps\" in API group \"\" at the cluster scope"),
            ("GET", "/api/v1/namespaces/default/configmaps", "in the namespace \"default\""),
            ("GET", $"/api/v1/namespaces/{ns}/secrets", "list resource \"secrets\""),
            ("DELETE", maps, "deletecollection resource"),
            ("GET", "/metrics", $"forbidden: {user} get path \"/metrics\""),
        })
        {
            var (code, message) = await SendAsync(http, method, path);
            Assert.Equal(403, code);
            Assert.Contains(words, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_subresource_is_a_resource_of_its_own()
    {
        var (ns, http) = await WithRoleAsync("""[{"apiGroups":["apps"],"resources":["deployments"],"verbs":["*"]}]""");
        using var _ = http;
        var path = $"/apis/apps/v1/namespaces/{ns}/deployments/one";
        Assert.Equal(404, (await SendAsync(http, "GET", path)).Code);
        Assert.Contains("\"deployments/scale\" in API group \"apps\"", (await SendAsync(http, "GET", $"{path}/scale")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rule_for_names_is_for_no_other_and_for_no_collection()
    {
        var (ns, http) = await WithRoleAsync("""
            [{"apiGroups":["coordination.k8s.io"],"resources":["leases"],"verbs":["get","list","update"],"resourceNames":["mine"]}]
            """);
        using var _ = http;
        var leases = $"/apis/coordination.k8s.io/v1/namespaces/{ns}/leases";
        Assert.Equal(404, (await SendAsync(http, "GET", $"{leases}/mine")).Code);
        Assert.Equal(403, (await SendAsync(http, "GET", $"{leases}/other")).Code);
        Assert.Equal(403, (await SendAsync(http, "GET", leases)).Code);
        Assert.Equal(403, (await SendAsync(http, "POST", leases, """{"metadata":{"name":"mine"}}""")).Code);
    }

    [Fact]
    public async Task To_apply_what_is_not_there_is_to_create_it()
    {
        var (ns, http) = await WithRoleAsync("""[{"apiGroups":[""],"resources":["configmaps"],"verbs":["patch"]}]""");
        using var _ = http;
        var path = $"/api/v1/namespaces/{ns}/configmaps/one?fieldManager=test";
        var manifest = """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one"},"data":{"a":"b"}}""";
        var refused = await SendAsync(http, "PATCH", path, manifest, "application/apply-patch+yaml");
        Assert.Equal(403, refused.Code);
        Assert.Contains("cannot create resource", refused.Message, StringComparison.Ordinal);
        await CreateAsync($"/api/v1/namespaces/{ns}/configmaps", """{"metadata":{"name":"one"}}""");
        Assert.Equal(200, (await SendAsync(http, "PATCH", path, manifest, "application/apply-patch+yaml")).Code);
    }

    [Fact]
    public async Task A_cluster_role_counts_everywhere_and_only_for_whom_it_is_bound_to()
    {
        var name = cluster.Name("reader");
        var ns = await cluster.NamespaceAsync();
        await CreateAsync($"{Rbac}/clusterroles", $$"""
            {"metadata":{"name":"{{name}}"},"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["list"]}]}
            """);
        using var http = ConnectAs(ns);
        Assert.Equal(403, (await SendAsync(http, "GET", "/api/v1/nodes")).Code);
        await BindAsync($"{Rbac}/clusterrolebindings", ns, "ClusterRole", name);
        Assert.Equal(200, (await SendAsync(http, "GET", "/api/v1/nodes")).Code);
        Assert.Equal(200, (await SendAsync(http, "GET", $"/apis/apps/v1/namespaces/{ns}/deployments")).Code);
        using var other = ConnectAs("other");
        Assert.Equal(403, (await SendAsync(other, "GET", "/api/v1/nodes")).Code);
        Assert.Equal(200, (await SendAsync(other, "GET", "/apis")).Code);
    }

    [Fact]
    public async Task A_token_is_worth_nothing_after_its_user_got_another()
    {
        using var old = ConnectAs("twice");
        using var current = ConnectAs("twice");
        Assert.Equal(HttpStatusCode.Unauthorized, (await old.GetAsync("/apis")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await current.GetAsync("/apis")).StatusCode);
    }
}
