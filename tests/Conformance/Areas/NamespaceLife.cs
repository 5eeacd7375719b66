using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class NamespaceLife
{
    private const string Label = "kubernetes.io/metadata.name";

    public static Area Area => new("Namespaces",
    [
        new("A new namespace is Active and has the finalizer kubernetes", Sources.Namespaces, async s =>
            (await s.GetAsync(s.Path)).Is(200).Equal("Active", "status", "phase").Equal("kubernetes", "spec", "finalizers", "0")),
        new("A namespace has a label with its name", Sources.Namespaces, async s =>
            (await s.GetAsync(s.Path)).Is(200).Equal(s.Name, "metadata", "labels", Label)),
        new("The label with the name comes back when it is removed", Sources.Namespaces, async s =>
            (await s.PatchAsync(s.Path, "merge", """{"metadata": {"labels": {"kubernetes.io/metadata.name": null}}}""")).Is(200)
                .Equal(s.Name, "metadata", "labels", Label)),
        new("A namespace gets a service account named default", Sources.Namespaces, async s =>
            await s.UntilAsync("the default service account is there", async () =>
                (await s.GetAsync($"{s.Core("serviceaccounts")}/default")).Code == 200)),
        new("The same name can be used in different namespaces", Sources.Namespaces, async s =>
        {
            var other = await s.OtherNamespaceAsync();
            var here = await s.ConfigMapAsync("a");

            var there = (await s.PostAsync($"/api/v1/namespaces/{other}/configmaps", Make.ConfigMap("a"))).Is(201);

            Assert.NotEqual(here.Uid, there.Uid);
        }),
        new("Deleting a namespace answers with it, Terminating", Sources.NamespaceStorage, async s =>
        {
            var other = await s.OtherNamespaceAsync();

            var ending = (await s.DeleteAsync($"/api/v1/namespaces/{other}")).Is(200).Equal("Terminating", "status", "phase");

            Assert.NotEmpty(ending.Text("metadata", "deletionTimestamp"));
        }),
        new("With a namespace everything in it goes, and then the namespace", Sources.Namespaces, async s =>
        {
            var other = await s.OtherNamespaceAsync();
            (await s.PostAsync($"/api/v1/namespaces/{other}/configmaps", Make.ConfigMap("a"))).Is(201);
            (await s.PostAsync(s.Server.Widgets.In(other), s.Server.Widgets.Make("a"))).Is(201);

            (await s.DeleteAsync($"/api/v1/namespaces/{other}")).Is(200);

            await s.GoneAsync($"/api/v1/namespaces/{other}");
            (await s.GetAsync($"/api/v1/namespaces/{other}/configmaps/a")).Is(404);
            (await s.GetAsync($"{s.Server.Widgets.In(other)}/a")).Is(404);
        }),
        new("A namespace waits for objects with finalizers", Sources.Finalizers, async s =>
        {
            var other = await HeldAsync(s);
            (await s.DeleteAsync($"/api/v1/namespaces/{other}")).Is(200);

            await s.UntilAsync("the object is being deleted",
                async () => (await s.GetAsync($"/api/v1/namespaces/{other}/configmaps/a"))
                    .Is(200).At("metadata", "deletionTimestamp") is not null);
            (await s.GetAsync($"/api/v1/namespaces/{other}")).Is(200).Equal("Terminating", "status", "phase");

            await ReleaseAsync(s, other);
            await s.GoneAsync($"/api/v1/namespaces/{other}");
        }),
        new("Nothing new can be made in a namespace that ends", Sources.NamespaceLifecycle, async s =>
        {
            var other = await HeldAsync(s);
            (await s.DeleteAsync($"/api/v1/namespaces/{other}")).Is(200);

            (await s.PostAsync($"/api/v1/namespaces/{other}/configmaps", Make.ConfigMap("b")))
                .Refuses(403, "Forbidden", $"configmaps \"b\" is forbidden: unable to create new content in namespace {other} because it is being terminated")
                .Blames("metadata.namespace", "NamespaceTerminating");
            await ReleaseAsync(s, other);
        }),
        new("What is in a namespace that ends can still be changed", Sources.NamespaceLifecycle, async s =>
        {
            var other = await HeldAsync(s);
            (await s.DeleteAsync($"/api/v1/namespaces/{other}")).Is(200);

            (await s.PatchAsync($"/api/v1/namespaces/{other}/configmaps/a", "merge", """{"data": {"k": "1"}}""")).Is(200);
            await ReleaseAsync(s, other);
        }),
        new("A namespace that ends says in its conditions what is left", Sources.NamespaceConditions, async s =>
        {
            var other = await HeldAsync(s);
            (await s.DeleteAsync($"/api/v1/namespaces/{other}")).Is(200);

            await s.UntilAsync("the condition NamespaceFinalizersRemaining is True", async () =>
                (await s.GetAsync($"/api/v1/namespaces/{other}")).At("status", "conditions") is JsonArray conditions
                && conditions.Any(c => (string?)c!["type"] == "NamespaceFinalizersRemaining" && (string?)c["status"] == "True"));
            var ending = await s.GetAsync($"/api/v1/namespaces/{other}");
            Says(ending, "NamespaceContentRemaining", "SomeResourcesRemain", "configmaps. has 1 resource instances");
            Says(ending, "NamespaceFinalizersRemaining", "SomeFinalizersRemain",
                "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances");
            await ReleaseAsync(s, other);
        }),
        Case.Refused("Nothing can be made in a namespace that is not there", Sources.NamespaceLifecycle,
            s => s.PostAsync($"/api/v1/namespaces/{s.Name}-not/configmaps", Make.ConfigMap("a")), 404, "NotFound", "namespaces \"",
                "not found"),
        new("The list of a namespace that is not there is empty", Sources.Resources, async s =>
            Assert.Empty((await s.GetAsync($"/api/v1/namespaces/{s.Name}-not/configmaps")).Is(200).Items)),
        Case.Refused("The namespace default cannot be deleted", Sources.NamespaceLifecycle,
            s => s.DeleteAsync("/api/v1/namespaces/default?dryRun=All"), 403, "Forbidden",
                "namespaces \"default\" is forbidden: this namespace may not be deleted"),
        Case.Refused("The name of a namespace is a DNS label, without dots", Sources.Namespaces,
            s => s.PostAsync("/api/v1/namespaces", Make.Named("v1", "Namespace", $"{s.Name}.x")), 422, "Invalid", "metadata.name"),
        new("A namespace gets the ConfigMap kube-root-ca.crt", Sources.RootCertificate, async s =>
            await s.UntilAsync("kube-root-ca.crt is there", async () => (await s.GetAsync(s.ConfigMap("kube-root-ca.crt"))).Code == 200)),
        new("The finalizers of a namespace are changed by its subresource finalize alone", Sources.NamespaceStorage, async s =>
        {
            var other = await s.OtherNamespaceAsync();
            var path = $"/api/v1/namespaces/{other}";
            (await s.PatchAsync(path, "merge", """{"spec": {"finalizers": ["kubernetes", "example.com/hold"]}}""")).Is(200)
                .Absent("spec", "finalizers", "1");

            var held = (await s.GetAsync(path)).Object.With(new JsonArray("kubernetes", "example.com/hold"), "spec", "finalizers");
            (await s.PutAsync($"{path}/finalize", held)).Is(200).Equal("example.com/hold", "spec", "finalizers", "1");
            (await s.DeleteAsync(path)).Is(200);
            var waiting = (await s.GetAsync(path)).Is(200).Object;
            (await s.PutAsync($"{path}/finalize", waiting.With(new JsonArray("kubernetes"), "spec", "finalizers"))).Is(200);
            await s.GoneAsync(path);
        }),
    ]);

    private static void Says(Answer ns, string type, string reason, string words)
    {
        var condition = (ns.At("status", "conditions") as JsonArray ?? []).Single(c => (string?)c!["type"] == type)!;
        Assert.Equal(reason, (string?)condition["reason"]);
        Assert.Contains(words, (string?)condition["message"], StringComparison.Ordinal);
    }

    /// <summary>Another namespace with a ConfigMap that does not go by itself.</summary>
    private static async Task<string> HeldAsync(Space s)
    {
        var other = await s.OtherNamespaceAsync();
        (await s.PostAsync($"/api/v1/namespaces/{other}/configmaps", Make.ConfigMap("a")
            .With(new JsonArray("example.com/hold"), "metadata", "finalizers"))).Is(201);
        return other;
    }

    private static async Task ReleaseAsync(Space s, string other) =>
        (await s.PatchAsync($"/api/v1/namespaces/{other}/configmaps/a", "merge", """{"metadata": {"finalizers": null}}""")).Is(200);
}
