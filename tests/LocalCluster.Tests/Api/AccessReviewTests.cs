using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Tests.Api;

/// <summary>What an access review answers is what becomes of the request that it asks about.</summary>
public sealed class AccessReviewTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    private const string Reviews = "/apis/authorization.k8s.io/v1";
    private const string Self = Reviews + "/selfsubjectaccessreviews";
    private const string Binary = "application/vnd.kubernetes.protobuf";
    private const string Anybody = Reviews + "/subjectaccessreviews";

    private static string User(string ns) => $"system:serviceaccount:{ns}:worker";

    private static string Resource(string ns, string verb, string resource, string subresource = "", string name = "") =>
        $$"""
        "resourceAttributes":
          {"namespace":"{{ns}}","verb":"{{verb}}","resource":"{{resource}}","subresource":"{{subresource}}","name":"{{name}}"}
        """;

    private async Task<string> WithRoleAsync(string rules)
    {
        var ns = await cluster.NamespaceAsync();
        var rbac = $"/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}";
        Assert.Equal(201, (await cluster.PostAsync($"{rbac}/roles", $$"""{"metadata":{"name":"r"},"rules":{{rules}}}""")).Code);
        Assert.Equal(201, (await cluster.PostAsync($"{rbac}/rolebindings", $$"""
            {"metadata":{"name":"r"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"r"},
             "subjects":[{"kind":"ServiceAccount","namespace":"{{ns}}","name":"worker"}]}
            """)).Code);
        return ns;
    }

    private HttpClient ConnectAs(string ns) => cluster.NewHttp(cluster.Cluster.ConnectAs(User(ns)).AccessToken);

    private static Task<(int Code, JsonNode Body)> AskAsync(HttpClient http, string path, string spec) =>
        AskAsync(http, path, Encoding.UTF8.GetBytes("{\"spec\":{" + spec + "}}"), "application/json");

    private static async Task<(int Code, JsonNode Body)> AskAsync(HttpClient http, string path, byte[] body, string type = Binary)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        using var response = await http.PostAsync(path, content);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    private static async Task<bool> MayAsync(HttpClient http, string path, string spec)
    {
        var (code, review) = await AskAsync(http, path, spec);
        Assert.True(code == 201, review.ToJsonString());
        return review["status"]!["allowed"]!.GetValue<bool>();
    }

    [Fact]
    public async Task Somebody_may_what_a_role_allows_and_nothing_else()
    {
        var ns = await WithRoleAsync("""
            [{"apiGroups":[""],"resources":["pods/log"],"verbs":["get"]},
             {"apiGroups":[""],"resources":["secrets"],"resourceNames":["mine"],"verbs":["get"]}]
            """);
        using var http = ConnectAs(ns);
        var user = $"\"user\":\"{User(ns)}\",\"groups\":[\"system:authenticated\"],";
        foreach (var (question, allowed) in new[]
        {
            (Resource(ns, "get", "pods", "log"), true), (Resource(ns, "get", "pods"), false), (Resource(ns, "list", "pods", "log"), false),
            (Resource("default", "get", "pods", "log"), false), (Resource("", "get", "pods", "log"), false),
            (Resource(ns, "get", "secrets", name: "mine"), true), (Resource(ns, "get", "secrets", name: "other"), false),
            (Resource(ns, "get", "secrets"), false), (Resource(ns, "*", "*"), false),
            ("\"nonResourceAttributes\":{\"path\":\"/version\",\"verb\":\"get\"}", true),
            ("\"nonResourceAttributes\":{\"path\":\"/metrics\",\"verb\":\"get\"}", false),
        })
        {
            Assert.True(allowed == await MayAsync(http, Self, question), $"self: {question}");
            Assert.True(allowed == await MayAsync(cluster.Http, Anybody, user + question), $"asked by another: {question}");
            Assert.True(await MayAsync(cluster.Http, Self, question), $"the administrator: {question}");
        }
    }

    [Fact]
    public async Task The_group_of_administrators_may_do_everything_and_other_groups_nothing()
    {
        Assert.True(await MayAsync(cluster.Http, Anybody, "\"groups\":[\"a\",\"system:masters\"]," + Resource("", "*", "*")));
        Assert.False(await MayAsync(cluster.Http, Anybody, "\"groups\":[\"a\"]," + Resource("", "list", "nodes")));
    }

    [Fact]
    public async Task A_question_about_one_namespace_is_asked_in_it()
    {
        var ns = await WithRoleAsync("""[{"apiGroups":[""],"resources":["configmaps"],"verbs":["list"]}]""");
        var path = $"{Reviews}/namespaces/{ns}/localsubjectaccessreviews";
        var user = $"\"user\":\"{User(ns)}\",";
        Assert.True(await MayAsync(cluster.Http, path, user + Resource(ns, "list", "configmaps")));
        Assert.False(await MayAsync(cluster.Http, path, user + Resource(ns, "delete", "configmaps")));
        var (code, refused) = await AskAsync(cluster.Http, path, user + Resource("default", "list", "configmaps"));
        Assert.Equal(422, code);
        Assert.Contains("must match metadata.namespace", refused["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task To_ask_about_others_needs_a_role_and_to_ask_about_oneself_does_not()
    {
        using var http = ConnectAs(await cluster.NamespaceAsync());
        Assert.False(await MayAsync(http, Self, Resource("", "list", "nodes")));
        var (code, _) = await AskAsync(http, Anybody, "\"user\":\"x\"," + Resource("", "list", "nodes"));
        Assert.Equal(403, code);
    }

    [Theory]
    [InlineData("selfsubjectaccessreviews", "{}", "spec.resourceAttributes: Invalid value: null: exactly one of")]
    [InlineData("selfsubjectaccessreviews", """{"resourceAttributes":{},"nonResourceAttributes":{}}""", "specified in combination with")]
    [InlineData("subjectaccessreviews", """{"resourceAttributes":{}}""", "spec.user: Invalid value: \"\": at least one of user or group")]
    public async Task A_question_that_is_none_is_refused(string kind, string spec, string message)
    {
        var (code, status) = await cluster.PostAsync($"{Reviews}/{kind}", $$"""{"spec":{{spec}}}""");
        Assert.Equal(422, code);
        Assert.Contains(message, status["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_binary_form_in_which_kubectl_asks_is_understood()
    {
        var ns = await WithRoleAsync("""[{"apiGroups":[""],"resources":["pods"],"verbs":["list"]}]""");
        using var http = ConnectAs(ns);
        Assert.True(await AllowedAsync("list"));
        Assert.False(await AllowedAsync("delete"));
        Assert.Equal(400, (await AskAsync(http, Self, "k8s-not-so"u8.ToArray())).Code);
        Assert.Equal(400, (await AskAsync(http, Self, "k8s\0\x12\x7f"u8.ToArray())).Code);

        async Task<bool> AllowedAsync(string verb)
        {
            // runtime.Unknown { raw: SelfSubjectAccessReview { metadata, spec { resourceAttributes { namespace, verb, resource } } } }
            var attributes = (byte[])[.. Field(1, Text(ns)), .. Field(2, Text(verb)), .. Field(5, Text("pods"))];
            var review = (byte[])[.. Field(1, []), .. Field(2, Field(1, attributes)), .. Field(3, [0x08, 0x00])];
            var (code, answer) = await AskAsync(http, Self, [.. "k8s\0"u8, .. Field(2, review)]);
            Assert.True(code == 201, answer.ToJsonString());
            return answer["status"]!["allowed"]!.GetValue<bool>();
        }

        static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

        static byte[] Field(int number, byte[] value) => [(byte)((number << 3) | 2), (byte)value.Length, .. value];
    }
}
