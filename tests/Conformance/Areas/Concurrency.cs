using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class Concurrency
{
    private const string Modified = "the object has been modified; please apply your changes to the latest version and try again";

    public static Area Area => new("Optimistic concurrency",
    [
        new("An update that names the current resourceVersion succeeds, and the object gets another one", Sources.Concurrency, async s =>
        {
            var made = await s.ConfigMapAsync("a", ("k", "1"));
            var first = made.Version;

            var updated = (await s.PutAsync(s.ConfigMap("a"), made.Object.With("2", "data", "k"))).Is(200).Equal("2", "data", "k");

            Assert.NotEqual(first, updated.Version);
            (await s.GetAsync(s.ConfigMap("a"))).Is(200).Equal(updated.Version, "metadata", "resourceVersion");
        }),
        new("An update that names an older resourceVersion is refused with 409 Conflict, and nothing changes", Sources.Store, async s =>
        {
            var old = await OlderAsync(s);

            (await s.PutAsync(s.ConfigMap("a"), old.Object.With("lost", "data", "k"))).Refuses(409, "Conflict", Modified);

            (await s.GetAsync(s.ConfigMap("a"))).Equal("2", "data", "k");
        }),
        new("A conflict names the resource and the object in its details and its message", Sources.Errors, async s =>
        {
            var old = await OlderAsync(s);

            var refused = (await s.PutAsync(s.ConfigMap("a"), old.Object))
                .Refuses(409, "Conflict", "Operation cannot be fulfilled on configmaps \"a\"");

            refused.Equal("a", "details", "name").Equal("configmaps", "details", "kind");
        }),
        new("An update of a built-in object that names no resourceVersion replaces whatever is there", Sources.Store, async s =>
        {
            await OlderAsync(s);

            (await s.PutAsync(s.ConfigMap("a"), Make.ConfigMap("a", ("k", "3")))).Is(200).Equal("3", "data", "k");
        }),
        new("An update of a custom object has to name a resourceVersion", Sources.CustomStrategy, async s =>
        {
            var made = await s.WidgetAsync("a");

            (await s.PutAsync(s.Widget("a"), made.Object.Without("metadata", "resourceVersion")))
                .Refuses(422, "Invalid", "metadata.resourceVersion", "must be specified for an update");
        }),
        new("An update of a Lease has to name a resourceVersion", Sources.Store, async s =>
        {
            (await s.PostAsync(s.Leases, Make.Named("coordination.k8s.io/v1", "Lease", "a"))).Is(201);

            (await s.PutAsync($"{s.Leases}/a", Make.Named("coordination.k8s.io/v1", "Lease", "a")))
                .Refuses(422, "Invalid", "metadata.resourceVersion", "must be specified for an update");
        }),
        new("A merge patch that names an older resourceVersion conflicts", Sources.Concurrency, async s =>
        {
            var old = await OlderAsync(s);

            (await s.PatchAsync(s.ConfigMap("a"), "merge",
                $$$"""{"metadata": {"resourceVersion": "{{{old.Version}}}"}, "data": {"k": "3"}}"""))
                .Refuses(409, "Conflict", Modified);
        }),
        new("A JSON patch that names an older resourceVersion conflicts", Sources.Concurrency, async s =>
        {
            var old = await OlderAsync(s);

            (await s.PatchAsync(s.ConfigMap("a"), "json", $$"""
                [{"op": "replace", "path": "/metadata/resourceVersion", "value": "{{old.Version}}"}, {"op": "add", "path": "/data/k", "value": "3"}]
                """)).Refuses(409, "Conflict", Modified);
        }),
        new("A strategic merge patch that names an older resourceVersion conflicts", Sources.Concurrency, async s =>
        {
            var old = await OlderAsync(s);

            var patch = $$$"""{"metadata": {"resourceVersion": "{{{old.Version}}}"}, "data": {"k": "3"}}""";
            (await s.PatchAsync(s.ConfigMap("a"), "strategic-merge", patch)).Refuses(409, "Conflict", Modified);
        }),
        new("A configuration that names an older resourceVersion conflicts when it is applied", Sources.Concurrency, async s =>
        {
            var old = await OlderAsync(s);

            var config = Make.ConfigMap("a", ("other", "3")).With(old.Version, "metadata", "resourceVersion");
            (await s.ApplyAsync(s.ConfigMap("a"), config, "one")).Refuses(409, "Conflict", Modified);
        }),
        new("A merge patch that names the current resourceVersion succeeds", Sources.Concurrency, async s =>
        {
            var made = await s.ConfigMapAsync("a");

            var patch = $$$"""{"metadata": {"resourceVersion": "{{{made.Version}}}"}, "data": {"k": "3"}}""";
            (await s.PatchAsync(s.ConfigMap("a"), "merge", patch)).Is(200).Equal("3", "data", "k");
        }),
        new("Patches that name no resourceVersion all succeed when they come at once", Sources.Patches, async s =>
        {
            await s.ConfigMapAsync("a");

            var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(i =>
                s.PatchAsync(s.ConfigMap("a"), "merge", $$$"""{"data": {"k{{{i}}}": "x"}}""")));

            Assert.All(answers, answer => answer.Is(200));
            Assert.Equal(5, ((await s.GetAsync(s.ConfigMap("a"))).At("data") as System.Text.Json.Nodes.JsonObject)!.Count);
        }),
        new("Of updates that name the same resourceVersion and come at once exactly one succeeds", Sources.Concurrency, async s =>
        {
            var made = await s.ConfigMapAsync("a");

            var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(i =>
                s.PutAsync(s.ConfigMap("a"), Make.ConfigMap("a", ("k", $"{i}")).With(made.Version, "metadata", "resourceVersion"))));

            Assert.Single(answers, answer => answer.Code == 200);
            Assert.Equal(4, answers.Count(answer => answer.Code == 409));
        }),
        new("An update that changes nothing keeps the resourceVersion", Sources.Etcd, async s =>
        {
            var made = await s.ConfigMapAsync("a", ("k", "1"));

            (await s.PutAsync(s.ConfigMap("a"), made.Object)).Is(200).Equal(made.Version, "metadata", "resourceVersion");
        }),
        new("A patch that changes nothing keeps the resourceVersion", Sources.Etcd, async s =>
        {
            var made = await s.ConfigMapAsync("a", ("k", "1"));

            (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"data": {"k": "1"}}""")).Is(200)
                .Equal(made.Version, "metadata", "resourceVersion");
        }),
        new("A status update that names an older resourceVersion conflicts", Sources.Concurrency, async s =>
        {
            var made = await s.WidgetAsync("a");
            (await s.PatchAsync(s.Widget("a"), "merge", """{"spec": {"text": "changed"}}""")).Is(200);

            (await s.PutAsync($"{s.Widget("a")}/status", made.Object.With("Done", "status", "phase"))).Refuses(409, "Conflict", Modified);
        }),
        new("An update that names the uid of another object is refused with 409 Conflict", Sources.StorageErrors, async s =>
        {
            var made = await s.ConfigMapAsync("a");

            var other = made.Object.With("00000000-0000-0000-0000-000000000000", "metadata", "uid").Without("metadata", "resourceVersion");
            (await s.PutAsync(s.ConfigMap("a"), other)).Refuses(409, "Conflict", "Precondition failed: UID in precondition");
        }),
        new("A patch cannot change the uid", Sources.ObjectMeta, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"metadata": {"uid": "00000000-0000-0000-0000-000000000000"}}"""))
                .Refuses(422, "Invalid", "metadata.uid", "field is immutable");
        }),
        new("A new object cannot name a resourceVersion", Sources.StatusWriter, async s =>
            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("a").With("1", "metadata", "resourceVersion")))
                .Refuses(500, "", "resourceVersion should not be set on objects to be created")),
    ]);

    /// <summary>A ConfigMap as it was before its last change.</summary>
    private static async Task<Answer> OlderAsync(Space s)
    {
        var made = await s.ConfigMapAsync("a", ("k", "1"));
        (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"data": {"k": "2"}}""")).Is(200);
        return made;
    }
}
