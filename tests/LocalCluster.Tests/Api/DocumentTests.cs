using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Tests.Api;

public sealed class DocumentTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    [Theory]
    [InlineData("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json", "apidiscovery.k8s.io/v2")]
    [InlineData("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json",
        "apidiscovery.k8s.io/v2beta1")]
    public async Task Aggregated_discovery_names_everything_in_two_documents(string accept, string version)
    {
        using var response = await cluster.RawAsync(HttpMethod.Get, "/apis", accept: accept);
        Assert.Contains("as=APIGroupDiscoveryList", response.Content.Headers.ContentType!.ToString(), StringComparison.Ordinal);
        var groups = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal(version, groups["apiVersion"]!.GetValue<string>());
        var apps = groups["items"]!.AsArray().Single(g => g!["metadata"]!["name"]!.GetValue<string>() == "apps")!;
        var deployments = apps["versions"]![0]!["resources"]!.AsArray().Single(r => r!["resource"]!.GetValue<string>() == "deployments")!;
        Assert.Equal("deploy", deployments["shortNames"]![0]!.GetValue<string>());
        Assert.Equal(["scale", "status"], deployments["subresources"]!.AsArray().Select(s => s!["subresource"]!.GetValue<string>()));
        var (_, core) = await cluster.GetAsync("/api", accept);
        Assert.Contains(core["items"]![0]!["versions"]![0]!["resources"]!.AsArray(), r => r!["resource"]!.GetValue<string>() == "pods");
    }

    [Fact]
    public async Task Both_forms_of_discovery_name_the_same_resources()
    {
        var old = new List<string>();
        foreach (var path in (string[])["/api/v1", "/apis/apps/v1", "/apis/batch/v1"])
            old.AddRange((await cluster.GetAsync(path)).Body["resources"]!.AsArray().Select(r => r!["name"]!.GetValue<string>())
                .Where(name => !name.Contains('/', StringComparison.Ordinal)));
        var aggregated = new List<string>();
        foreach (var path in (string[])["/api", "/apis"])
        {
            var (_, document) = await cluster.GetAsync(path, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
            aggregated.AddRange(
                from item in document["items"]!.AsArray()
                where item!["metadata"]!["name"]?.GetValue<string>() is null or "apps" or "batch"
                from resource in item["versions"]![0]!["resources"]!.AsArray()
                select resource["resource"]!.GetValue<string>());
        }
        Assert.Equal(old, aggregated);
    }

    [Fact]
    public async Task OpenApi_has_a_document_for_each_version_with_kinds_and_validating_patches()
    {
        var (_, index) = await cluster.GetAsync("/openapi/v3");
        var url = index["paths"]!["apis/apps/v1"]!["serverRelativeURL"]!.GetValue<string>();
        var (_, document) = await cluster.GetAsync(url);
        using var moved = await cluster.RawAsync(HttpMethod.Get, "/openapi/v3/apis/apps/v1?hash=00");
        Assert.Equal(url, moved.Headers.Location?.ToString());
        var schemas = document["components"]!["schemas"]!.AsObject();
        var deployment = schemas.Single(s => s.Key.EndsWith(".Deployment", StringComparison.Ordinal)).Value!;
        Assert.Equal("Deployment", deployment["x-kubernetes-group-version-kind"]![0]!["kind"]!.GetValue<string>());
        var patch = document["paths"]!["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]!["patch"]!;
        Assert.Contains(patch["parameters"]!.AsArray(), p => p!["name"]!.GetValue<string>() == "fieldValidation");
        Assert.Contains("application/strategic-merge-patch+json", patch["requestBody"]!["content"]!.AsObject().Select(p => p.Key));
        foreach (var reference in References(document))
            Assert.True(schemas.ContainsKey(reference), reference);
        var container = schemas.Single(s => s.Key.EndsWith(".Container", StringComparison.Ordinal)).Value!;
        Assert.Equal("containerPort", container["properties"]!["ports"]!["x-kubernetes-patch-merge-key"]!.GetValue<string>());
        Assert.Equal("map", container["properties"]!["ports"]!["x-kubernetes-list-type"]!.GetValue<string>());
    }

    [Fact]
    public async Task The_version_is_one_that_kubectl_knows()
    {
        var (_, version) = await cluster.GetAsync("/version?timeout=5s");
        Assert.Equal("1", version["major"]!.GetValue<string>());
        Assert.StartsWith("v1.33.", version["gitVersion"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject obj => obj.SelectMany(pair => pair.Key == "$ref" ? [pair.Value!.GetValue<string>()["#/components/schemas/".Length..]]
            : References(pair.Value)),
        JsonArray array => array.SelectMany(References),
        _ => [],
    };
}
