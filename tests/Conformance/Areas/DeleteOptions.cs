using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class DeleteOptions
{
    private const string NoUid = "00000000-0000-0000-0000-000000000000";

    public static Area Area => new("Deletion",
    [
        new("Deleting an object answers with a Status that names it, and the object is gone", Sources.Store, async s =>
        {
            var made = await s.ConfigMapAsync("a");

            (await s.DeleteAsync(s.ConfigMap("a"))).Is(200).Equal("Status", "kind").Equal("Success", "status")
                .Equal("a", "details", "name").Equal("configmaps", "details", "kind").Equal(made.Uid, "details", "uid");

            (await s.GetAsync(s.ConfigMap("a"))).Refuses(404, "NotFound");
        }),
        Case.Refused("Deleting what is not there is refused with 404", Sources.Errors,
            s => s.DeleteAsync(s.ConfigMap("a")), 404, "NotFound", "configmaps \"a\" not found"),
        new("A precondition on another uid is a conflict, and the object stays", Sources.BeforeDelete, async s =>
        {
            var made = await s.ConfigMapAsync("a");

            (await s.DeleteAsync(s.ConfigMap("a"), $$$"""{"preconditions": {"uid": "{{{NoUid}}}"}}"""))
                .Refuses(409, "Conflict", $"the UID in the precondition ({NoUid}) does not match the UID in record ({made.Uid})");
            (await s.GetAsync(s.ConfigMap("a"))).Is(200);
        }),
        new("A precondition on an older resourceVersion is a conflict, and the object stays", Sources.BeforeDelete, async s =>
        {
            var made = await s.ConfigMapAsync("a");
            (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"data": {"k": "1"}}""")).Is(200);

            (await s.DeleteAsync(s.ConfigMap("a"), $$$"""{"preconditions": {"resourceVersion": "{{{made.Version}}}"}}"""))
                .Refuses(409, "Conflict", $"the ResourceVersion in the precondition ({made.Version}) does not match");
            (await s.GetAsync(s.ConfigMap("a"))).Is(200);
        }),
        new("Preconditions that hold let the deletion through", Sources.BeforeDelete, async s =>
        {
            var made = await s.ConfigMapAsync("a");

            (await s.DeleteAsync(s.ConfigMap("a"),
                $$$"""{"preconditions": {"uid": "{{{made.Uid}}}", "resourceVersion": "{{{made.Version}}}"}}""")).Is(200);
            (await s.GetAsync(s.ConfigMap("a"))).Is(404);
        }),
        new("An object with finalizers is marked and answered, and stays", Sources.Deletion, async s =>
        {
            await HeldAsync(s);

            var marked = (await s.DeleteAsync(s.ConfigMap("a"))).Is(200).Equal("ConfigMap", "kind")
                .Equal(0, "metadata", "deletionGracePeriodSeconds");

            Assert.NotEmpty(marked.Text("metadata", "deletionTimestamp"));
            (await s.GetAsync(s.ConfigMap("a"))).Is(200)
                .Equal(marked.Text("metadata", "deletionTimestamp"), "metadata", "deletionTimestamp");
            await ReleaseAsync(s);
        }),
        new("An object goes when its last finalizer is removed", Sources.Deletion, async s =>
        {
            await HeldAsync(s);
            (await s.DeleteAsync(s.ConfigMap("a"))).Is(200);

            await ReleaseAsync(s);

            (await s.GetAsync(s.ConfigMap("a"))).Is(404);
        }),
        new("Deleting what is being deleted already keeps the first time of deletion", Sources.Store, async s =>
        {
            await HeldAsync(s);
            var first = (await s.DeleteAsync(s.ConfigMap("a"))).Is(200);

            (await s.DeleteAsync(s.ConfigMap("a"))).Is(200)
                .Equal(first.Text("metadata", "deletionTimestamp"), "metadata", "deletionTimestamp");
            await ReleaseAsync(s);
        }),
        new("An object that is being deleted gets no new finalizers", Sources.ObjectMeta, async s =>
        {
            await HeldAsync(s);
            (await s.DeleteAsync(s.ConfigMap("a"))).Is(200);

            (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}}"""))
                .Refuses(422, "Invalid", "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted");
            await ReleaseAsync(s);
        }),
        new("An object that is being deleted can still be changed otherwise", Sources.Finalizers, async s =>
        {
            await HeldAsync(s);
            (await s.DeleteAsync(s.ConfigMap("a"))).Is(200);

            (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"data": {"k": "1"}}""")).Is(200).Equal("1", "data", "k");
            await ReleaseAsync(s);
        }),
        new("The name of what is being deleted is taken, and the refusal says why", Sources.Store, async s =>
        {
            await HeldAsync(s);
            (await s.DeleteAsync(s.ConfigMap("a"))).Is(200);

            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("a")))
                .Refuses(409, "AlreadyExists", "object is being deleted: configmaps \"a\" already exists");
            await ReleaseAsync(s);
        }),
        new("Nobody can mark an object for deletion but by deleting it", Sources.Metadata, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("b").With("2020-01-01T00:00:00Z", "metadata", "deletionTimestamp"))).Is(201)
                .Absent("metadata", "deletionTimestamp");
        }),
        new("Deleting in the background removes the owner at once, and its dependents after it", Sources.Garbage, async s =>
        {
            var owner = await s.ConfigMapAsync("owner");
            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("a").OwnedBy(owner))).Is(201);

            (await s.DeleteAsync(s.ConfigMap("owner"), """{"propagationPolicy": "Background"}""")).Is(200);

            (await s.GetAsync(s.ConfigMap("owner"))).Is(404);
            await s.GoneAsync(s.ConfigMap("a"));
        }),
        new("Deleting in the foreground keeps the owner, marked, until dependents that block it have gone", Sources.Garbage, async s =>
        {
            var owner = await s.ConfigMapAsync("owner");
            (await s.PostAsync(s.ConfigMaps,
                Make.ConfigMap("a").OwnedBy(owner, blocks: true).With(new JsonArray("example.com/hold"), "metadata", "finalizers")))
                    .Is(201);

            (await s.DeleteAsync(s.ConfigMap("owner"), """{"propagationPolicy": "Foreground"}""")).Is(200)
                .Equal("foregroundDeletion", "metadata", "finalizers", "0");

            await s.UntilAsync("the dependent is being deleted",
                async () => (await s.GetAsync(s.ConfigMap("a"))).Is(200).At("metadata", "deletionTimestamp") is not null);
            (await s.GetAsync(s.ConfigMap("owner"))).Is(200);
            await ReleaseAsync(s);
            await s.GoneAsync(s.ConfigMap("owner"));
        }),
        new("Deleting an owner as Orphan leaves its dependents, without the reference", Sources.Garbage, async s =>
        {
            var owner = await s.ConfigMapAsync("owner");
            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("a").OwnedBy(owner))).Is(201);

            (await s.DeleteAsync(s.ConfigMap("owner"), """{"propagationPolicy": "Orphan"}""")).Is(200)
                .Equal("orphan", "metadata", "finalizers", "0");

            await s.GoneAsync(s.ConfigMap("owner"));
            (await s.GetAsync(s.ConfigMap("a"))).Is(200).Absent("metadata", "ownerReferences").Absent("metadata", "deletionTimestamp");
        }),
        new("The older orphanDependents leaves dependents too", Sources.Store, async s =>
        {
            var owner = await s.ConfigMapAsync("owner");
            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("a").OwnedBy(owner))).Is(201);

            (await s.DeleteAsync(s.ConfigMap("owner"), """{"orphanDependents": true}""")).Is(200);

            await s.GoneAsync(s.ConfigMap("owner"));
            (await s.GetAsync(s.ConfigMap("a"))).Is(200);
        }),
        new("What has another owner that is there stays", Sources.Owners, async s =>
        {
            var (one, two) = (await s.ConfigMapAsync("one"), await s.ConfigMapAsync("two"));
            var dependent = Make.ConfigMap("a").OwnedBy(one);
            dependent["metadata"]!["ownerReferences"]!.AsArray().Add(Make.ConfigMap("x").OwnedBy(two)["metadata"]!["ownerReferences"]![0]!.DeepClone());
            (await s.PostAsync(s.ConfigMaps, dependent)).Is(201);

            (await s.DeleteAsync(s.ConfigMap("one"))).Is(200);

            await s.UntilAsync("the reference to the owner that is gone is removed", async () =>
                (await s.GetAsync(s.ConfigMap("a"))).Is(200).At("metadata", "ownerReferences") is JsonArray { Count: 1 });
        }),
        new("What is created for an owner that is gone is collected", Sources.Garbage, async s =>
        {
            var owner = await s.ConfigMapAsync("owner");
            (await s.DeleteAsync(s.ConfigMap("owner"))).Is(200);

            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("a").OwnedBy(owner))).Is(201);

            await s.GoneAsync(s.ConfigMap("a"));
        }),
        new("The query can name the policy too", Sources.DeleteHandler, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.DeleteAsync(s.ConfigMap("a") + "?propagationPolicy=Foreground")).Is(200);
            await s.GoneAsync(s.ConfigMap("a"));
        }),
        new("A policy of another name is refused", Sources.Options, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.DeleteAsync(s.ConfigMap("a"), """{"propagationPolicy": "Sideways"}"""))
                .Refuses(422, "Invalid", "DeleteOptions.meta.k8s.io \"\" is invalid", "propagationPolicy: Unsupported value: \"Sideways\"");
        }),
        new("propagationPolicy and orphanDependents together are refused", Sources.Options, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.DeleteAsync(s.ConfigMap("a"), """{"propagationPolicy": "Orphan", "orphanDependents": true}"""))
                .Refuses(422, "Invalid", "propagationPolicy", "orphanDependents and deletionPropagation cannot be both set");
        }),
        new("A negative grace period counts as one second", Sources.BeforeDelete, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.DeleteAsync(s.ConfigMap("a"), """{"gracePeriodSeconds": -5}""")).Is(200);
            (await s.GetAsync(s.ConfigMap("a"))).Is(404);
        }),
        new("DeleteOptions that are no JSON are refused", Sources.DeleteHandler, async s =>
        {
            await s.ConfigMapAsync("a");

            Assert.True((await s.DeleteAsync(s.ConfigMap("a"), "{nonsense")).Code >= 400);
            (await s.GetAsync(s.ConfigMap("a"))).Is(200);
        }),
        new("A pod that no node runs is deleted at once", Sources.PodLifecycle, async s =>
        {
            var pod = Make.Pod("a", "graft.invalid/none:1", "true")
                .With(new JsonArray(new JsonObject { ["name"] = "example.com/never" }), "spec", "schedulingGates");
            (await s.PostAsync(s.Pods, pod)).Is(201);

            (await s.DeleteAsync($"{s.Pods}/a")).Is(200);

            (await s.GetAsync($"{s.Pods}/a")).Is(404);
        }),
    ]);

    private static async Task HeldAsync(Space s) =>
        (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("a").With(new JsonArray("example.com/hold"), "metadata", "finalizers"))).Is(201);

    private static async Task ReleaseAsync(Space s) =>
        (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"metadata": {"finalizers": null}}""")).Is(200);
}
