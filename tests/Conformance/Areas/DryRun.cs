using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class DryRun
{
    private const string Dry = "?dryRun=All";

    public static Area Area => new("Dry-run",
    [
        new("A dry-run create answers 201 with the object, and stores nothing", Sources.DryRun, async s =>
        {
            (await s.PostAsync(s.ConfigMaps + Dry, Make.ConfigMap("a", ("k", "1")))).Is(201).Equal("1", "data", "k");

            (await s.GetAsync(s.ConfigMap("a"))).Refuses(404, "NotFound");
        }),
        new("A dry-run create shows a uid, a creation time and defaults", Sources.GeneratedValues, async s =>
        {
            var shown = (await s.PostAsync(s.Deployments + Dry, Make.Deployment("a"))).Is(201);

            Assert.NotEmpty(shown.Uid);
            Assert.NotEmpty(shown.Text("metadata", "creationTimestamp"));
            shown.Equal("RollingUpdate", "spec", "strategy", "type");
        }),
        new("A dry-run create with generateName shows a generated name", Sources.GeneratedValues, async s =>
        {
            var shown = (await s.PostAsync(s.ConfigMaps + Dry, Make.ConfigMap("x").Without("metadata", "name")
                .With("a-", "metadata", "generateName"))).Is(201);

            Assert.StartsWith("a-", shown.Name, StringComparison.Ordinal);
            (await s.GetAsync(s.ConfigMap(shown.Name))).Is(404);
        }),
        new("A dry-run create of a name that is taken is refused", Sources.DryRun, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.PostAsync(s.ConfigMaps + Dry, Make.ConfigMap("a"))).Refuses(409, "AlreadyExists", "configmaps \"a\" already exists");
        }),
        Case.Refused("A dry-run create of an invalid object is refused", Sources.DryRun,
            s => s.PostAsync(s.ConfigMaps + Dry, Make.ConfigMap("Not_A_Name")), 422, "Invalid", "metadata.name"),
        new("A dry-run update shows the change, and the object stays as it was", Sources.DryRun, async s =>
        {
            var made = await s.ConfigMapAsync("a", ("k", "1"));

            (await s.PutAsync(s.ConfigMap("a") + Dry, Make.ConfigMap("a", ("k", "2")))).Is(200).Equal("2", "data", "k");

            (await s.GetAsync(s.ConfigMap("a"))).Equal("1", "data", "k").Equal(made.Version, "metadata", "resourceVersion");
        }),
        new("A dry-run update that names an older resourceVersion conflicts", Sources.DryRun, async s =>
        {
            var made = await s.ConfigMapAsync("a", ("k", "1"));
            (await s.PutAsync(s.ConfigMap("a"), Make.ConfigMap("a", ("k", "2")))).Is(200);

            (await s.PutAsync(s.ConfigMap("a") + Dry, made.Object)).Refuses(409, "Conflict");
        }),
        new("A dry-run patch merges, and stores nothing", Sources.DryRun, async s =>
        {
            await s.ConfigMapAsync("a", ("k", "1"));

            (await s.PatchAsync(s.ConfigMap("a") + Dry, "merge", """{"data": {"l": "2"}}""")).Is(200).Equal("1", "data", "k")
                .Equal("2", "data", "l");

            (await s.GetAsync(s.ConfigMap("a"))).Absent("data", "l");
        }),
        new("A dry-run apply of what is not there answers 201, and stores nothing", Sources.DryRun, async s =>
        {
            (await s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a"), "one", "dryRun=All")).Is(201);

            (await s.GetAsync(s.ConfigMap("a"))).Is(404);
        }),
        new("A dry-run apply finds conflicts", Sources.DryRun, async s =>
        {
            (await s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a", ("k", "1")), "one")).Is(201);

            (await s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a", ("k", "2")), "two", "dryRun=All"))
                .Refuses(409, "Conflict", "conflict with \"one\"");
        }),
        new("A dry-run change of a spec shows the next generation", Sources.DryRun, async s =>
        {
            await s.WidgetAsync("a");

            (await s.PatchAsync(s.Widget("a") + Dry, "merge", """{"spec": {"text": "x"}}""")).Is(200).Equal(2, "metadata", "generation");

            (await s.GetAsync(s.Widget("a"))).Equal(1, "metadata", "generation");
        }),
        new("A dry-run write of status stores nothing", Sources.DryRun, async s =>
        {
            await s.WidgetAsync("a");

            (await s.PatchAsync($"{s.Widget("a")}/status{Dry}", "merge", """{"status": {"phase": "Done"}}""")).Is(200)
                .Equal("Done", "status", "phase");

            (await s.GetAsync(s.Widget("a"))).Absent("status");
        }),
        new("A dry-run scale stores nothing", Sources.DryRun, async s =>
        {
            await s.WidgetAsync("a", """{"replicas": 1}""");

            (await s.PatchAsync($"{s.Widget("a")}/scale{Dry}", "merge", """{"spec": {"replicas": 3}}""")).Is(200)
                .Equal(3, "spec", "replicas");

            (await s.GetAsync(s.Widget("a"))).Equal(1, "spec", "replicas");
        }),
        new("A dry-run delete answers 200, and the object stays", Sources.DryRun, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.DeleteAsync(s.ConfigMap("a") + Dry)).Is(200);

            (await s.GetAsync(s.ConfigMap("a"))).Is(200).Absent("metadata", "deletionTimestamp");
        }),
        new("DeleteOptions in the body can ask for a dry run too", Sources.DryRun, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.DeleteAsync(s.ConfigMap("a"), """{"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]}""")).Is(200);

            (await s.GetAsync(s.ConfigMap("a"))).Is(200);
        }),
        new("A dry-run delete of an object with finalizers leaves no mark on it", Sources.DryRun, async s =>
        {
            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("a")
                .With(new System.Text.Json.Nodes.JsonArray("example.com/hold"), "metadata", "finalizers"))).Is(201);

            (await s.DeleteAsync(s.ConfigMap("a") + Dry)).Is(200);

            (await s.GetAsync(s.ConfigMap("a"))).Absent("metadata", "deletionTimestamp");
            (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"metadata": {"finalizers": null}}""")).Is(200);
        }),
        new("A dry-run delete of a collection answers 200, and everything stays", Sources.DryRun, async s =>
        {
            await s.SecretsAsync("a", "b");

            (await s.DeleteAsync(s.Secrets + Dry)).Is(200);

            Assert.Equal(["a", "b"], (await s.GetAsync(s.Secrets)).Names);
        }),
        Case.Refused("A create with a dryRun that is not All is refused", Sources.Options,
            s => s.PostAsync(s.ConfigMaps + "?dryRun=Some", Make.ConfigMap("a")), 422, "Invalid",
                "CreateOptions.meta.k8s.io \"\" is invalid", "dryRun: Unsupported value"),
        Case.Refused("An update with a dryRun that is not All is refused", Sources.Options,
            s => s.PutAsync(s.ConfigMap("a") + "?dryRun=Some", Make.ConfigMap("a")), 422, "Invalid",
                "UpdateOptions.meta.k8s.io \"\" is invalid", "dryRun: Unsupported value"),
        Case.Refused("A patch with a dryRun that is not All is refused", Sources.Options,
            s => s.PatchAsync(s.ConfigMap("a") + "?dryRun=Some", "merge", "{}"), 422, "Invalid",
                "PatchOptions.meta.k8s.io \"\" is invalid", "dryRun: Unsupported value"),
        new("A delete with a dryRun that is not All is refused", Sources.Options, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.DeleteAsync(s.ConfigMap("a") + "?dryRun=Some"))
                .Refuses(422, "Invalid", "DeleteOptions.meta.k8s.io \"\" is invalid", "dryRun: Unsupported value");
        }),
    ]);
}
