using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class DeleteCollection
{
    public static Area Area => new("Deletion of collections",
    [
        new("Deleting a collection removes all its objects", Sources.Store, async s =>
        {
            await s.SecretsAsync("a", "b");

            (await s.DeleteAsync(s.Secrets)).Is(200);

            Assert.Empty((await s.GetAsync(s.Secrets)).Items);
        }),
        new("Deleting a collection answers with the list of what was deleted", Sources.Store, async s =>
        {
            await s.SecretsAsync("a", "b");

            Assert.Equal(["a", "b"], (await s.DeleteAsync(s.Secrets)).Is(200).Equal("SecretList", "kind").Names.Order());
        }),
        new("Deleting a collection with a label selector leaves the others", Sources.Labels, async s =>
        {
            await s.LabelledAsync("a", "x", "1");
            await s.LabelledAsync("b", "x", "2");

            (await s.DeleteAsync($"{s.Secrets}?labelSelector=x%3D1")).Is(200);

            Assert.Equal(["b"], (await s.GetAsync(s.Secrets)).Names);
        }),
        new("Deleting a collection with a field selector leaves the others", Sources.FieldSelectors, async s =>
        {
            await s.SecretsAsync("a", "b");

            (await s.DeleteAsync($"{s.Secrets}?fieldSelector=metadata.name%3Da")).Is(200);

            Assert.Equal(["b"], (await s.GetAsync(s.Secrets)).Names);
        }),
        new("Deleting a collection of one namespace leaves that of another", Sources.Resources, async s =>
        {
            var other = await s.OtherNamespaceAsync();
            (await s.PostAsync($"/api/v1/namespaces/{other}/secrets", Make.Secret("b"))).Is(201);
            await s.SecretsAsync("a");

            (await s.DeleteAsync(s.Secrets)).Is(200);

            (await s.GetAsync($"/api/v1/namespaces/{other}/secrets/b")).Is(200);
        }),
        new("Deleting a collection marks what has finalizers", Sources.Deletion, async s =>
        {
            (await s.PostAsync(s.Secrets, Make.Secret("a").With(new JsonArray("example.com/hold"), "metadata", "finalizers"))).Is(201);
            await s.SecretsAsync("b");

            (await s.DeleteAsync(s.Secrets)).Is(200);

            var left = (await s.GetAsync(s.Secrets)).Is(200);
            Assert.Equal(["a"], left.Names);
            Assert.NotNull(left.At("items", "0", "metadata", "deletionTimestamp"));
            (await s.PatchAsync(s.Secret("a"), "merge", """{"metadata": {"finalizers": null}}""")).Is(200);
        }),
        new("DeleteOptions hold for each object of the collection", Sources.DeleteHandler, async s =>
        {
            var owner = await s.ConfigMapAsync("owner");
            (await s.PostAsync(s.Secrets, Make.Secret("a").OwnedBy(owner))).Is(201);

            (await s.DeleteAsync($"{s.ConfigMaps}?fieldSelector=metadata.name%3Downer", """{"propagationPolicy": "Orphan"}""")).Is(200);

            await s.GoneAsync(s.ConfigMap("owner"));
            (await s.GetAsync(s.Secret("a"))).Is(200).Absent("metadata", "ownerReferences");
        }),
        Case.Refused("Objects of all namespaces cannot be deleted in one request", Sources.Resources,
            s => s.DeleteAsync($"/api/v1/secrets?labelSelector={s.Name}"), 405, "MethodNotAllowed",
                "the server does not allow this method on the requested resource"),
        Case.Refused("Namespaces cannot be deleted as a collection", Sources.NamespaceStorage,
            s => s.DeleteAsync($"/api/v1/namespaces?labelSelector={s.Name}"), 405, "MethodNotAllowed"),
        new("Custom objects can be deleted as a collection", Sources.Store, async s =>
        {
            await s.WidgetAsync("a");

            (await s.DeleteAsync(s.Widgets)).Is(200);

            Assert.Empty((await s.GetAsync(s.Widgets)).Items);
        }),
    ]);
}
