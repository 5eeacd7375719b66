namespace Graft.LocalCluster.Tests.Api;

public sealed class WatchTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    [Fact]
    public async Task A_watch_resumes_after_the_version_that_it_names()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        var (_, list) = await cluster.GetAsync(path);
        await cluster.PostAsync(path, """{"metadata":{"name":"a"}}""");
        await cluster.PatchAsync(path + "/a", """{"data":{"k":"v"}}""", "merge");
        await cluster.DeleteAsync(path + "/a");
        using var watch = await WatchReader.OpenAsync(cluster, $"{path}?watch=true&resourceVersion={list["metadata"]!["resourceVersion"]}");
        Assert.Equal("ADDED a", await watch.NextNameAsync());
        var modified = await watch.NextAsync();
        Assert.Equal("MODIFIED", modified!["type"]!.GetValue<string>());
        var deleted = await watch.NextAsync();
        Assert.Equal("DELETED", deleted!["type"]!.GetValue<string>());
        Assert.True(long.Parse(deleted["object"]!["metadata"]!["resourceVersion"]!.GetValue<string>(), null)
            > long.Parse(modified["object"]!["metadata"]!["resourceVersion"]!.GetValue<string>(), null));
    }

    [Fact]
    public async Task Coming_to_match_a_selector_is_an_addition_and_ceasing_to_is_a_deletion()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        using var watch = await WatchReader.OpenAsync(cluster, path + "?watch=true&labelSelector=a%3Db");
        await cluster.PostAsync(path, """{"metadata":{"name":"a"}}""");
        await cluster.PatchAsync(path + "/a", """{"metadata":{"labels":{"a":"b"}}}""", "merge");
        await cluster.PatchAsync(path + "/a", """{"data":{"k":"v"}}""", "merge");
        await cluster.PatchAsync(path + "/a", """{"metadata":{"labels":{"a":"c"}}}""", "merge");
        await cluster.PostAsync(path, """{"metadata":{"name":"z","labels":{"a":"b"}}}""");
        Assert.Equal("ADDED a", await watch.NextNameAsync());
        Assert.Equal("MODIFIED a", await watch.NextNameAsync());
        Assert.Equal("DELETED a", await watch.NextNameAsync());
        Assert.Equal("ADDED z", await watch.NextNameAsync());
    }

    [Fact]
    public async Task Initial_events_end_with_a_marked_bookmark()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        await cluster.PostAsync(path, """{"metadata":{"name":"a"}}""");
        using var watch = await WatchReader.OpenAsync(cluster,
            path + "?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan");
        Assert.Equal("ADDED a", await watch.NextNameAsync());
        var bookmark = await watch.NextAsync();
        Assert.Equal("BOOKMARK", bookmark!["type"]!.GetValue<string>());
        Assert.Equal("true", bookmark["object"]!["metadata"]!["annotations"]!["k8s.io/initial-events-end"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_watch_ends_at_its_timeout()
    {
        using var watch = await WatchReader.OpenAsync(cluster, "/api/v1/nodes?watch=true&timeoutSeconds=1");
        Assert.Null(await watch.NextAsync());
    }

    [Fact]
    public async Task A_version_that_is_no_number_is_refused()
    {
        var (code, status) = await cluster.GetAsync("/api/v1/pods?watch=true&resourceVersion=0x");
        Assert.Equal(400, code);
        Assert.Equal("BadRequest", status["reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task Table_watches_send_rows_and_the_headers_once()
    {
        var ns = await cluster.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        using var watch = await WatchReader.OpenAsync(cluster, path + "?watch=true", "application/json;as=Table;v=v1;g=meta.k8s.io");
        await cluster.PostAsync(path, """{"metadata":{"name":"a"}}""");
        await cluster.PostAsync(path, """{"metadata":{"name":"b"},"data":{"k":"v"}}""");
        var first = await watch.NextAsync();
        var second = await watch.NextAsync();
        Assert.Equal("Table", first!["object"]!["kind"]!.GetValue<string>());
        Assert.Equal(3, first["object"]!["columnDefinitions"]!.AsArray().Count);
        Assert.Empty(second!["object"]!["columnDefinitions"]!.AsArray());
        Assert.Equal("b", second["object"]!["rows"]![0]!["cells"]![0]!.GetValue<string>());
        Assert.Equal(1, second["object"]!["rows"]![0]!["cells"]![1]!.GetValue<int>());
        Assert.Equal("PartialObjectMetadata", second["object"]!["rows"]![0]!["object"]!["kind"]!.GetValue<string>());
    }

    [Fact]
    public async Task The_client_library_watches_every_change()
    {
        var ns = await cluster.NamespaceAsync();
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var seen = new List<string>();
        var watching = Task.Run(async () =>
        {
            await foreach (var (type, item) in k8s.CoreV1OperationsExtensions.WatchListNamespacedConfigMapAsync(cluster.Client.CoreV1, ns,
                cancellationToken: enough.Token))
            {
                seen.Add($"{type} {item.Metadata.Name}");
                if (seen.Count == 20)
                    return;
            }
        });
        for (var i = 0; i < 20; i++)
            await cluster.PostAsync($"/api/v1/namespaces/{ns}/configmaps", $$$"""{"metadata":{"name":"c{{{i:D2}}}"}}""");
        await watching;
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"Added c{i:D2}"), seen);
    }
}
