using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Tests.Api;

public sealed class ListTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    [Fact]
    public async Task Pages_of_one_list_show_one_moment()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        foreach (var name in (string[])["a", "b", "c", "d", "e"])
            await cluster.PostAsync(path, $$$"""{"metadata":{"name":"{{{name}}}"}}""");
        var (_, first) = await cluster.GetAsync(path + "?limit=2");
        Assert.Equal(["a", "b"], Names(first));
        Assert.Equal(3, first["metadata"]!["remainingItemCount"]!.GetValue<int>());
        await cluster.DeleteAsync(path + "/d");
        await cluster.PostAsync(path, """{"metadata":{"name":"cc"}}""");
        var (_, second) = await cluster.GetAsync(
            $"{path}?limit=2&continue={Uri.EscapeDataString(first["metadata"]!["continue"]!.GetValue<string>())}");
        Assert.Equal(["c", "d"], Names(second));
        var (_, third) = await cluster.GetAsync(
            $"{path}?limit=2&continue={Uri.EscapeDataString(second["metadata"]!["continue"]!.GetValue<string>())}");
        Assert.Equal(["e"], Names(third));
        Assert.Null(third["metadata"]!["continue"]);
        Assert.Equal(first["metadata"]!["resourceVersion"]!.GetValue<string>(), third["metadata"]!["resourceVersion"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("AAAA", 400, "BadRequest")]
    [InlineData("MS8vYQ==", 410, "Expired")]
    public async Task A_continue_token_that_is_wrong_or_old_is_refused(string token, int code, string reason)
    {
        var (actual, status) = await cluster.GetAsync($"/api/v1/pods?continue={Uri.EscapeDataString(token)}");
        Assert.Equal(code, actual);
        Assert.Equal(reason, status["reason"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("app=a", "a")]
    [InlineData("app!=a", "b,c")]
    [InlineData("app in (a, b)", "a,b")]
    [InlineData("app notin (a)", "b,c")]
    [InlineData("app", "a,b")]
    [InlineData("!app", "c")]
    [InlineData("app=b,tier==x", "b")]
    public async Task Label_selectors_choose(string selector, string names)
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        await cluster.PostAsync(path, """{"metadata":{"name":"a","labels":{"app":"a"}}}""");
        await cluster.PostAsync(path, """{"metadata":{"name":"b","labels":{"app":"b","tier":"x"}}}""");
        await cluster.PostAsync(path, """{"metadata":{"name":"c"}}""");
        var (_, list) = await cluster.GetAsync($"{path}?labelSelector={Uri.EscapeDataString(selector)}");
        Assert.Equal(names, string.Join(',', Names(list)));
    }

    [Theory]
    [InlineData("involvedObject.name=a", "e1")]
    [InlineData("involvedObject.kind=Job,type!=Normal", "e2")]
    [InlineData("metadata.name=e2", "e2")]
    public async Task Field_selectors_choose(string selector, string names)
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/events";
        await cluster.PostAsync(path, """{"metadata":{"name":"e1"},"type":"Normal","involvedObject":{"kind":"Job","name":"a"}}""");
        await cluster.PostAsync(path, """{"metadata":{"name":"e2"},"type":"Warning","involvedObject":{"kind":"Job","name":"b"}}""");
        var (_, list) = await cluster.GetAsync($"{path}?fieldSelector={Uri.EscapeDataString(selector)}");
        Assert.Equal(names, string.Join(',', Names(list)));
    }

    [Fact]
    public async Task Lists_come_as_tables_and_as_metadata_alone()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/secrets";
        await cluster.PostAsync(path, """{"metadata":{"name":"a"},"stringData":{"k":"v"}}""");
        var (_, table) = await cluster.GetAsync(path, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
        Assert.Equal("Table", table["kind"]!.GetValue<string>());
        Assert.Equal(["Name", "Type", "Data", "Age"], table["columnDefinitions"]!.AsArray().Select(c => c!["name"]!.GetValue<string>()));
        Assert.Equal("[\"a\",\"Opaque\",1]",
            new JsonArray([.. table["rows"]![0]!["cells"]!.AsArray().Take(3).Select(c => c!.DeepClone())]).ToJsonString());
        var (_, partial) = await cluster.GetAsync(path, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io");
        Assert.Equal("PartialObjectMetadataList", partial["kind"]!.GetValue<string>());
        Assert.Null(partial["items"]![0]!["data"]);
        Assert.Equal(406, (await cluster.GetAsync(path, "application/vnd.kubernetes.protobuf")).Code);
    }

    private static IEnumerable<string> Names(JsonNode list) => list["items"]!.AsArray()
        .Select(item => item!["metadata"]!["name"]!.GetValue<string>());
}
