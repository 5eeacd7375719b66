using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class Watching
{
    private const string Table = "application/json;as=Table;v=v1;g=meta.k8s.io";

    public static Area Area => new("Watches",
    [
        new("A watch from a list's version sends what is created, changed and deleted after it, in that order", Sources.Watches, async s =>
        {
            await s.SecretsAsync("before");
            using var watch = await s.WatchAsync(s.Secrets, await FromAsync(s));
            await s.SecretsAsync("a");
            await LabelAsync(s, "a", "x", "1");
            (await s.DeleteAsync(s.Secret("a"))).Is(200);

            (await watch.NextAsync()).Is("ADDED", "a");
            (await watch.NextAsync()).Is("MODIFIED", "a");
            (await watch.NextAsync()).Is("DELETED", "a");
        }),
        new("A watch from an earlier version sends what has happened since", Sources.Watches, async s =>
        {
            var from = await FromAsync(s);
            await s.SecretsAsync("a", "b");
            (await s.DeleteAsync(s.Secret("a"))).Is(200);
            using var watch = await s.WatchAsync(s.Secrets, from);

            (await watch.NextAsync()).Is("ADDED", "a");
            (await watch.NextAsync()).Is("ADDED", "b");
            (await watch.NextAsync()).Is("DELETED", "a");
        }),
        new("A watch can go on after the version of any event", Sources.Watches, async s =>
        {
            var from = await FromAsync(s);
            await s.SecretsAsync("a", "b", "c");
            using var first = await s.WatchAsync(s.Secrets, from);
            var seen = await first.NextAsync();

            using var second = await s.WatchAsync(s.Secrets, $"resourceVersion={seen.Version}");

            (await second.NextAsync()).Is("ADDED", "b");
            (await second.NextAsync()).Is("ADDED", "c");
        }),
        new("A watch without a version begins with everything that is there as ADDED", Sources.WatchSemantics, async s =>
        {
            await s.SecretsAsync("a", "b");
            using var watch = await s.WatchAsync(s.Secrets);

            Assert.Equal(["a", "b"], new[] { (await watch.NextAsync()).Name, (await watch.NextAsync()).Name }.Order());
            await s.SecretsAsync("c");
            (await watch.NextAsync()).Is("ADDED", "c");
        }),
        new("A watch from version 0 begins with what is there as ADDED", Sources.WatchSemantics, async s =>
        {
            await s.SecretsAsync("a");
            using var watch = await s.WatchAsync(s.Secrets, "resourceVersion=0");

            (await watch.NextAsync()).Is("ADDED", "a");
        }),
        new("The events of one object carry its versions", Sources.Watches, async s =>
        {
            using var watch = await s.WatchAsync(s.Secrets, await FromAsync(s));
            var made = await s.LabelledAsync("a", "x", "1");
            var changed = await LabelAsync(s, "a", "x", "2");

            Assert.Equal(made.Version, (await watch.NextAsync()).Version);
            Assert.Equal(changed.Version, (await watch.NextAsync()).Version);
        }),
        new("A deletion carries the object's last state, and a version of its own", Sources.Watches, async s =>
        {
            var made = await s.LabelledAsync("a", "x", "1");
            using var watch = await s.WatchAsync(s.Secrets, await FromAsync(s));
            (await s.DeleteAsync(s.Secret("a"))).Is(200);

            var gone = (await watch.NextAsync()).Is("DELETED", "a");

            Assert.Equal("1", (string?)Json.At(gone.Object, ["metadata", "labels", "x"]));
            Assert.NotEqual(made.Version, gone.Version);
        }),
        new("An object that comes to match the selector is ADDED", Sources.WatchCache, async s =>
        {
            await s.LabelledAsync("a", "x", "1");
            using var watch = await s.WatchAsync(s.Secrets, $"labelSelector=x%3D2&{await FromAsync(s)}");
            await LabelAsync(s, "a", "x", "2");

            (await watch.NextAsync()).Is("ADDED", "a");
        }),
        new("An object that ceases to match the selector is DELETED, shown as it was when it matched, with the version of the change",
            Sources.WatchCache, async s =>
        {
            await s.LabelledAsync("a", "x", "1");
            using var watch = await s.WatchAsync(s.Secrets, $"labelSelector=x%3D1&{await FromAsync(s)}");
            var changed = await LabelAsync(s, "a", "x", "2");

            var left = (await watch.NextAsync()).Is("DELETED", "a");

            Assert.Equal("1", (string?)Json.At(left.Object, ["metadata", "labels", "x"]));
            Assert.Equal(changed.Version, left.Version);
        }),
        new("Changes of what the selector does not let through are not sent", Sources.WatchCache, async s =>
        {
            using var watch = await s.WatchAsync(s.Secrets, $"labelSelector=x%3D1&{await FromAsync(s)}");
            await s.LabelledAsync("a", "x", "2");
            await s.LabelledAsync("b", "x", "1");

            (await watch.NextAsync()).Is("ADDED", "b");
        }),
        new("A field selector for the name watches one object", Sources.FieldSelectors, async s =>
        {
            using var watch = await s.WatchAsync(s.Secrets, $"fieldSelector=metadata.name%3Db&{await FromAsync(s)}");
            await s.SecretsAsync("a", "b");

            (await watch.NextAsync()).Is("ADDED", "b");
        }),
        new("A watch over all namespaces sends the events of each", Sources.Resources, async s =>
        {
            var other = await s.OtherNamespaceAsync();
            using var watch = await s.WatchAsync("/api/v1/secrets", $"labelSelector={s.Name}&{await FromAsync(s)}");
            await s.LabelledAsync("a", s.Name, "x");
            (await s.PostAsync($"/api/v1/namespaces/{other}/secrets", Make.Secret("b").With("x", "metadata", "labels", s.Name))).Is(201);

            (await watch.NextAsync()).Is("ADDED", "a");
            (await watch.NextAsync()).Is("ADDED", "b");
        }),
        new("A watch of one namespace sends nothing of another", Sources.Resources, async s =>
        {
            var other = await s.OtherNamespaceAsync();
            using var watch = await s.WatchAsync(s.Secrets, await FromAsync(s));
            (await s.PostAsync($"/api/v1/namespaces/{other}/secrets", Make.Secret("b"))).Is(201);
            await s.SecretsAsync("a");

            (await watch.NextAsync()).Is("ADDED", "a");
        }),
        new("sendInitialEvents ends what is there with a bookmark that says so", Sources.StreamingLists, async s =>
        {
            await s.SecretsAsync("a");
            using var watch = await s.WatchAsync(s.Secrets,
                "sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan");

            (await watch.NextAsync()).Is("ADDED", "a");
            var bookmark = await watch.NextAsync();
            Assert.Equal("BOOKMARK", bookmark.Type);
            Assert.Equal("true", (string?)Json.At(bookmark.Object, ["metadata", "annotations", "k8s.io/initial-events-end"]));
            Assert.NotEmpty(bookmark.Version);
        }),
        new("After the initial events a watch goes on with changes", Sources.StreamingLists, async s =>
        {
            using var watch = await s.WatchAsync(s.Secrets,
                "sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan");
            Assert.Equal("BOOKMARK", (await watch.NextAsync()).Type);
            await s.SecretsAsync("a");

            (await watch.NextChangeAsync()).Is("ADDED", "a");
        }),
        new("A watch can go on after the version of a bookmark", Sources.Bookmarks, async s =>
        {
            await s.SecretsAsync("a");
            using var first = await s.WatchAsync(s.Secrets,
                "sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan");
            await first.NextAsync();
            var bookmark = await first.NextAsync();
            await s.SecretsAsync("b");

            using var second = await s.WatchAsync(s.Secrets, $"resourceVersion={bookmark.Version}");

            (await second.NextAsync()).Is("ADDED", "b");
        }),
        new("A bookmark is an object of the watched kind of which only the version is set", Sources.Bookmarks, async s =>
        {
            using var watch = await s.WatchAsync(s.Widgets,
                "sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan");

            var bookmark = await watch.NextAsync();

            Assert.Equal("Widget", (string?)bookmark.Object["kind"]);
            Assert.Null(Json.At(bookmark.Object, ["metadata", "name"]));
        }),
        Case.Refused("sendInitialEvents without resourceVersionMatch is refused", Sources.ListOptions,
            s => s.GetAsync($"{s.Secrets}?watch=true&sendInitialEvents=true"), 422, "Invalid",
            "resourceVersionMatch: Forbidden", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
        Case.Refused("A watch with resourceVersionMatch and without sendInitialEvents is refused", Sources.ListOptions,
            s => s.GetAsync($"{s.Secrets}?watch=true&resourceVersion=1&resourceVersionMatch=NotOlderThan"), 422, "Invalid",
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"),
        Case.Refused("A watch cannot match a version exactly", Sources.ListOptions,
            s => s.GetAsync($"{s.Secrets}?watch=true&sendInitialEvents=true&resourceVersion=1&resourceVersionMatch=Exact"), 422, "Invalid",
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
        new("A watch ends without an error after timeoutSeconds", Sources.GetHandler, async s =>
        {
            using var watch = await s.WatchAsync(s.Secrets, $"timeoutSeconds=1&{await FromAsync(s)}");

            Assert.DoesNotContain(await watch.RestAsync(), e => e.Type == "ERROR");
        }),
        new("A watch from a version that is not there yet waits for it", Sources.TooNew, async s =>
        {
            using var watch = await s.WatchAsync(s.Secrets, "timeoutSeconds=1&resourceVersion=9000000000000000");

            Assert.Empty(await watch.RestAsync());
        }),
        new("A watch as tables sends rows, and the columns with the first only", Sources.Tables, async s =>
        {
            using var watch = await s.WatchAsync(s.Secrets, await FromAsync(s), Table);
            await s.SecretsAsync("a", "b");

            var (first, second) = (await watch.NextAsync(), await watch.NextAsync());

            Assert.Equal("Table", (string?)first.Object["kind"]);
            Assert.NotEmpty(first.Object["columnDefinitions"]!.AsArray());
            Assert.Equal("a", (string?)first.Object["rows"]![0]!["cells"]![0]);
            Assert.True(second.Object["columnDefinitions"] is null or System.Text.Json.Nodes.JsonArray { Count: 0 });
            Assert.Equal("b", (string?)second.Object["rows"]![0]!["cells"]![0]);
        }),
        new("A watch as metadata sends nothing else of the objects", Sources.Representations, async s =>
        {
            using var watch = await s.WatchAsync(s.Secrets, await FromAsync(s),
                "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io");
            (await s.PostAsync(s.Secrets, Make.Secret("a").With("x", "stringData", "k"))).Is(201);

            var seen = (await watch.NextAsync()).Is("ADDED", "a");

            Assert.Equal("PartialObjectMetadata", (string?)seen.Object["kind"]);
            Assert.Null(seen.Object["data"]);
        }),
        new("A change of status is sent", Sources.Watches, async s =>
        {
            await s.WidgetAsync("a");
            using var watch = await s.WatchAsync(s.Widgets, await FromAsync(s, s.Widgets));
            (await s.PatchAsync($"{s.Widget("a")}/status", "merge", """{"status": {"phase": "Done"}}""")).Is(200);

            Assert.Equal("Done", (string?)Json.At((await watch.NextAsync()).Is("MODIFIED", "a").Object, ["status", "phase"]));
        }),
        new("Dry runs and writes that change nothing send no event", Sources.Etcd, async s =>
        {
            await s.LabelledAsync("a", "x", "1");
            using var watch = await s.WatchAsync(s.Secrets, await FromAsync(s));
            await LabelAsync(s, "a", "x", "1");
            (await s.PostAsync($"{s.Secrets}?dryRun=All", Make.Secret("b"))).Is(201);
            (await s.DeleteAsync($"{s.Secret("a")}?dryRun=All")).Is(200);
            await s.SecretsAsync("c");

            (await watch.NextAsync()).Is("ADDED", "c");
        }),
        new("The deletion of an object with finalizers is a change first, and a deletion when the last has gone", Sources.Finalizers,
            async s =>
        {
            (await s.PostAsync(s.Secrets, Make.Secret("a")
                .With(new System.Text.Json.Nodes.JsonArray("example.com/hold"), "metadata", "finalizers"))).Is(201);
            using var watch = await s.WatchAsync(s.Secrets, await FromAsync(s));
            (await s.DeleteAsync(s.Secret("a"))).Is(200);
            (await s.PatchAsync(s.Secret("a"), "merge", """{"metadata": {"finalizers": null}}""")).Is(200);

            Assert.NotNull(Json.At((await watch.NextAsync()).Is("MODIFIED", "a").Object, ["metadata", "deletionTimestamp"]));
            (await watch.NextAsync()).Is("DELETED", "a");
        }),
        new("Each item of a deleted collection is sent as a deletion", Sources.Watches, async s =>
        {
            await s.SecretsAsync("a", "b");
            using var watch = await s.WatchAsync(s.Secrets, await FromAsync(s));
            (await s.DeleteAsync(s.Secrets)).Is(200);

            var gone = new[] { await watch.NextAsync(), await watch.NextAsync() };
            Assert.All(gone, e => Assert.Equal("DELETED", e.Type));
            Assert.Equal(["a", "b"], gone.Select(e => e.Name).Order());
        }),
    ]);

    private static Task<string> FromAsync(Space s) => FromAsync(s, s.Secrets);

    private static async Task<string> FromAsync(Space s, string path) => $"resourceVersion={(await s.GetAsync(path)).Is(200).Version}";

    private static async Task<Answer> LabelAsync(Space s, string name, string label, string value) =>
        (await s.PatchAsync(s.Secret(name), "merge", $$$$"""{"metadata": {"labels": {"{{{{label}}}}": "{{{{value}}}}"}}}""")).Is(200);
}
