using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Tests.Api;

public sealed class CrudTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    [Fact]
    public async Task A_created_object_has_identity_and_can_be_read_replaced_and_deleted()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        var (code, created) = await cluster.PostAsync(path, """{"metadata":{"name":"a"},"data":{"k":"1"}}""");
        Assert.Equal(201, code);
        Assert.Equal("ConfigMap", created["kind"]!.GetValue<string>());
        Assert.NotNull(created["metadata"]!["uid"]);
        Assert.NotNull(created["metadata"]!["creationTimestamp"]);

        created["data"]!["k"] = "2";
        var (replacedCode, replaced) = await cluster.PutAsync(path + "/a", created.ToJsonString());
        Assert.Equal(200, replacedCode);
        Assert.True(Version(replaced) > Version(created));
        Assert.Equal("2", (await cluster.GetAsync(path + "/a")).Body["data"]!["k"]!.GetValue<string>());

        var (deletedCode, status) = await cluster.DeleteAsync(path + "/a");
        Assert.Equal(200, deletedCode);
        Assert.Equal("Success", status["status"]!.GetValue<string>());
        var (goneCode, gone) = await cluster.GetAsync(path + "/a");
        Assert.Equal(404, goneCode);
        Assert.Equal("configmaps \"a\" not found", gone["message"]!.GetValue<string>());
        Assert.Equal("NotFound", gone["reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task An_update_of_an_old_version_conflicts()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        var (_, first) = await cluster.PostAsync(path, """{"metadata":{"name":"a"}}""");
        var second = first.DeepClone();
        second["data"] = new JsonObject { ["k"] = "v" };
        await cluster.PutAsync(path + "/a", second.ToJsonString());
        first["data"] = new JsonObject { ["k"] = "other" };
        var (code, status) = await cluster.PutAsync(path + "/a", first.ToJsonString());
        Assert.Equal(409, code);
        Assert.Equal("Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to the latest version and try again",
            status["message"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_write_that_changes_nothing_keeps_the_version()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        var (_, first) = await cluster.PostAsync(path, """{"metadata":{"name":"a"},"data":{"k":"v"}}""");
        var (_, second) = await cluster.PatchAsync(path + "/a", """{"data":{"k":"v"}}""", "merge");
        Assert.Equal(Version(first), Version(second));
    }

    [Fact]
    public async Task Patches_that_name_no_version_all_succeed_at_once_and_one_that_does_conflicts()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        await cluster.PostAsync(path, """{"metadata":{"name":"a"}}""");
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => i % 2 == 0
            ? cluster.PatchAsync(path + "/a", $$$"""{"data":{"k{{{i}}}":"v"}}""", "merge")
            : cluster.PatchAsync(path + "/a", $$$"""[{"op":"add","path":"/metadata/annotations","value":{"k{{{i}}}":"v"}}]""", "json")));
        Assert.All(answers, answer => Assert.Equal(200, answer.Code));
        Assert.Equal(20, (await cluster.GetAsync(path + "/a")).Body["data"]!.AsObject().Count);
        Assert.Equal(409, (await cluster.PatchAsync(path + "/a", """{"metadata":{"resourceVersion":"1"},"data":{"k":"v"}}""", "merge")).Code);
    }

    [Theory]
    [InlineData("/api/v1/namespaces/default/widgets", 404, "the server could not find the requested resource")]
    [InlineData("/apis/example.com/v1/widgets", 404, "the server could not find the requested resource")]
    [InlineData("/api/v1/namespaces/default/pods/absent", 404, "pods \"absent\" not found")]
    [InlineData("/apis/apps/v1/namespaces/default/deployments/absent", 404, "deployments.apps \"absent\" not found")]
    [InlineData("/api/v1/pods?fieldSelector=spec.absent=1", 400, "field label not supported: spec.absent")]
    [InlineData("/api/v1/pods?labelSelector=a%20b", 400, "unable to parse requirement: \"a b\" in the label selector \"a b\"")]
    public async Task What_is_not_there_is_refused_in_the_words_of_the_real_server(string path, int code, string message)
    {
        var (actual, status) = await cluster.GetAsync(path);
        Assert.Equal(code, actual);
        Assert.Equal(message, status["message"]!.GetValue<string>());
        Assert.Equal("Failure", status["status"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("""{"metadata":{"name":"a"}}""", 409, "configmaps \"a\" already exists")]
    [InlineData("""{"metadata":{"name":"a","namespace":"other"}}""", 400, "the namespace of the provided object does not match the namespace sent on the request")]
    [InlineData("""{"kind":"Secret","metadata":{"name":"b"}}""", 400, "Secret in version \"v1\" cannot be handled as a ConfigMap")]
    [InlineData("""{"metadata":{"name":"A_b"}}""", 422, "ConfigMap \"A_b\" is invalid: metadata.name: Invalid value: \"A_b\"")]
    [InlineData("""{"metadata":{"name":"b"},"data":{"k":1}}""", 400, "data.k")]
    [InlineData("""{"metadata":{"name":"b"}""", 400, "unrecognized")]
    [InlineData("", 400, "")]
    public async Task Bad_objects_are_refused(string body, int code, string message)
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        await cluster.PostAsync(path, """{"metadata":{"name":"a"}}""");
        var (actual, status) = await cluster.PostAsync(path, body);
        Assert.Equal(code, actual);
        Assert.Contains(message, status["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_namespace_is_named()
    {
        var (code, status) = await cluster.PostAsync("/api/v1/namespaces/absent/configmaps", """{"metadata":{"name":"a"}}""");
        Assert.Equal(404, code);
        Assert.Equal("namespaces \"absent\" not found", status["message"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("Strict", 400)]
    [InlineData("Warn", 201)]
    [InlineData("Ignore", 201)]
    public async Task Unknown_and_duplicate_fields_are_refused_warned_of_or_dropped(string validation, int code)
    {
        var ns = await cluster.NamespaceAsync();
        using var response = await cluster.RawAsync(HttpMethod.Post, $"/api/v1/namespaces/{ns}/services?fieldValidation={validation}",
            """{"metadata":{"name":"a"},"spec":{"foo":1,"type":"ClusterIP","type":"ClusterIP","ports":[{"port":80,"bar":2}]}}""");
        var body = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal(code, (int)response.StatusCode);
        var warnings = response.Headers.TryGetValues("Warning", out var values) ? values.ToList() : [];
        if (validation == "Strict")
            Assert.Equal("Service in version \"v1\" cannot be handled as a Service: strict decoding error: duplicate field \"spec.type\", unknown field \"spec.foo\", unknown field \"spec.ports[0].bar\"",
                body["message"]!.GetValue<string>());
        else
            Assert.Null(body["spec"]!["foo"]);
        Assert.Equal(validation == "Warn" ? 3 : 0, warnings.Count);
        if (validation == "Warn")
            Assert.Equal("299 - \"unknown field \\\"spec.foo\\\"\"", warnings[1]);
    }

    [Fact]
    public async Task Dry_run_decides_everything_and_stores_nothing()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/services";
        var (code, service) = await cluster.PostAsync(path + "?dryRun=All", """{"metadata":{"name":"a"},"spec":{"ports":[{"port":80}]}}""");
        Assert.Equal(201, code);
        Assert.StartsWith("127.", service["spec"]!["clusterIP"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(404, (await cluster.GetAsync(path + "/a")).Code);
        await cluster.PostAsync(path, """{"metadata":{"name":"a"},"spec":{"ports":[{"port":80}]}}""");
        await cluster.DeleteAsync(path + "/a?dryRun=All");
        Assert.Equal(200, (await cluster.GetAsync(path + "/a")).Code);
    }

    [Fact]
    public async Task Generated_names_differ()
    {
        var ns = await cluster.NamespaceAsync();
        var (_, one) = await cluster.PostAsync($"/api/v1/namespaces/{ns}/configmaps", """{"metadata":{"generateName":"p-"}}""");
        var (_, two) = await cluster.PostAsync($"/api/v1/namespaces/{ns}/configmaps", """{"metadata":{"generateName":"p-"}}""");
        Assert.StartsWith("p-", one["metadata"]!["name"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.NotEqual(one["metadata"]!["name"]!.GetValue<string>(), two["metadata"]!["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task Yaml_bodies_are_read()
    {
        var ns = await cluster.NamespaceAsync();
        var (code, body) = await cluster.SendAsync(HttpMethod.Post, $"/api/v1/namespaces/{ns}/configmaps",
            "metadata:\n  name: a\ndata:\n  k: \"1\"\n  on: yes\n", "application/yaml");
        Assert.Equal(201, code);
        Assert.Equal("yes", body["data"]!["on"]!.GetValue<string>());
    }

    private static long Version(JsonNode obj) =>
        long.Parse(obj["metadata"]!["resourceVersion"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture);
}
