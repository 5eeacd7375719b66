using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class ServerSideApply
{
    public static Area Area => new("Server-side apply",
    [
        new("Applying what is not there creates it with 201", Sources.MergeStrategy, async s =>
            (await s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a", ("k", "1")), "one")).Is(201).Equal("1", "data", "k")),
        new("Applying again answers 200", Sources.MergeStrategy, async s =>
        {
            await AppliedAsync(s, "one", ("k", "1"));

            (await s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a", ("k", "2")), "one")).Is(200).Equal("2", "data", "k");
        }),
        new("Applying the same again keeps the resourceVersion", Sources.Etcd, async s =>
        {
            var made = await AppliedAsync(s, "one", ("k", "1"));

            (await AppliedAsync(s, "one", ("k", "1"))).Equal(made.Version, "metadata", "resourceVersion");
        }),
        new("The applier is in managedFields with what it applied", Sources.FieldManagement, async s =>
        {
            var entry = Assert.Single(Managers(await AppliedAsync(s, "one", ("k", "1"))));

            Assert.Equal("one", (string?)entry["manager"]);
            Assert.Equal("Apply", (string?)entry["operation"]);
            Assert.Equal("v1", (string?)entry["apiVersion"]);
            Assert.Equal("FieldsV1", (string?)entry["fieldsType"]);
            Assert.True(JsonNode.DeepEquals(Json.Object("""{"f:data": {"f:k": {}}}"""), entry["fieldsV1"]), entry.ToJsonString());
        }),
        new("A creator by POST is in managedFields as Update, under the name of its User-Agent", Sources.Managers, async s =>
        {
            var entry = Assert.Single(Managers(await s.ConfigMapAsync("a", ("k", "1"))));

            Assert.Equal("conformance", (string?)entry["manager"]);
            Assert.Equal("Update", (string?)entry["operation"]);
        }),
        new("A writer can name itself by fieldManager", Sources.Managers, async s =>
            Assert.Equal("me", (string?)Assert.Single(Managers((await s.PostAsync($"{s.ConfigMaps}?fieldManager=me", Make.ConfigMap("a",
                ("k", "1")))).Is(201)))["manager"])),
        new("What an applier leaves out is removed when nobody else owns it", Sources.FieldManagement, async s =>
        {
            await AppliedAsync(s, "one", ("k", "1"), ("l", "2"));

            (await AppliedAsync(s, "one", ("k", "1"))).Equal(Json.Object("""{"k": "1"}"""), "data");
        }),
        new("What an applier leaves out stays when another one owns it too", Sources.FieldManagement, async s =>
        {
            await AppliedAsync(s, "one", ("k", "1"), ("l", "2"));
            await AppliedAsync(s, "two", ("l", "2"));

            var left = await AppliedAsync(s, "one", ("k", "1"));

            left.Equal(Json.Object("""{"k": "1", "l": "2"}"""), "data");
            Assert.False(Owns(left, "one", "f:l"));
            Assert.True(Owns(left, "two", "f:l"));
        }),
        new("Fields that nobody applied stay", Sources.MergeStrategy, async s =>
        {
            await s.ConfigMapAsync("a", ("x", "9"));

            (await AppliedAsync(s, "one", ("k", "1"))).Equal("9", "data", "x").Equal("1", "data", "k");
        }),
        new("Another value of a field that another applier owns is a conflict", Sources.ApplyConflicts, async s =>
        {
            await AppliedAsync(s, "one", ("k", "1"));

            (await s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a", ("k", "2")), "two"))
                .Refuses(409, "Conflict", "Apply failed with 1 conflict: conflict with \"one\": .data.k");
        }),
        new("A conflict has a cause FieldManagerConflict for each field", Sources.ApplyConflicts, async s =>
        {
            await AppliedAsync(s, "one", ("k", "1"), ("l", "1"));

            (await s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a", ("k", "2"), ("l", "2")), "two"))
                .Refuses(409, "Conflict", "Apply failed with 2 conflicts").Blames(".data.k", "FieldManagerConflict")
                    .Blames(".data.l", "FieldManagerConflict");
        }),
        new("A conflict with an updater names it and how it wrote", Sources.ApplyConflicts, async s =>
        {
            await s.ConfigMapAsync("a", ("k", "1"));

            (await s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a", ("k", "2")), "two"))
                .Refuses(409, "Conflict", "conflict with \"conformance\" using v1: .data.k");
        }),
        new("force takes the field over", Sources.ApplyConflicts, async s =>
        {
            await AppliedAsync(s, "one", ("k", "1"));

            var taken = (await s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a", ("k", "2")), "two", "force=true")).Is(200)
                .Equal("2", "data", "k");

            Assert.Equal("two", (string?)Assert.Single(Managers(taken))["manager"]);
        }),
        new("The same value is owned together", Sources.FieldManagement, async s =>
        {
            await AppliedAsync(s, "one", ("k", "1"));

            var shared = await AppliedAsync(s, "two", ("k", "1"));

            Assert.True(Owns(shared, "one", "f:k") && Owns(shared, "two", "f:k"), shared.Body);
        }),
        new("A change of a shared field is a conflict for each of its owners", Sources.FieldManagement, async s =>
        {
            await AppliedAsync(s, "one", ("k", "1"));
            await AppliedAsync(s, "two", ("k", "1"));

            (await s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a", ("k", "2")), "one"))
                .Refuses(409, "Conflict", "conflict with \"two\"");
        }),
        new("Ownership goes over when one of two owners leaves the field out", Sources.Transfer, async s =>
        {
            await AppliedAsync(s, "one", ("k", "1"));
            await AppliedAsync(s, "two", ("k", "1"));
            (await s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a"), "one")).Is(200).Equal("1", "data", "k");

            (await AppliedAsync(s, "two", ("k", "2"))).Equal("2", "data", "k");
        }),
        new("An update never conflicts, and takes the fields that it changes", Sources.ApplyAndUpdate, async s =>
        {
            await AppliedAsync(s, "one", ("k", "1"), ("l", "1"));

            var updated = (await s.PatchAsync($"{s.ConfigMap("a")}?fieldManager=two", "merge", """{"data": {"k": "2"}}""")).Is(200);

            Assert.True(Owns(updated, "two", "f:k") && !Owns(updated, "one", "f:k") && Owns(updated, "one", "f:l"), updated.Body);
        }),
        Case.Refused("An applier has to name itself", Sources.Options,
            s => s.SendAsync(HttpMethod.Patch, s.ConfigMap("a"), Make.ConfigMap("a").ToJsonString(), "application/apply-patch+yaml"),
            422, "Invalid", "PatchOptions.meta.k8s.io \"\" is invalid", "fieldManager: Required value: is required for apply patch"),
        Case.Refused("The name of a manager has at most 128 characters", Sources.Options,
            s => s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a"), new string('m', 129)), 422, "Invalid", "fieldManager: Too long"),
        new("force is for apply alone", Sources.Options, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.PatchAsync($"{s.ConfigMap("a")}?force=true", "merge", "{}"))
                .Refuses(422, "Invalid", "force: Forbidden: may not be specified for non-apply patch");
        }),
        Case.Refused("An applied configuration has no managedFields", Sources.TypedApply,
            s => s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a")
                .With(new JsonArray(new JsonObject()), "metadata", "managedFields"), "one"), 400, "BadRequest",
                "metadata.managedFields must be nil"),
        Case.Refused("An applied configuration names the version of the URL", Sources.TypedApply,
            s => s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a")
                .With("v2", "apiVersion"), "one"), 400, "BadRequest", "Incorrect version specified in apply patch"),
        new("A configuration can be YAML", Sources.Serialization, async s =>
            (await s.SendAsync(HttpMethod.Patch, $"{s.ConfigMap("a")}?fieldManager=one",
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: '1'\n",
                "application/apply-patch+yaml")).Is(201).Equal("1", "data", "k")),
        new("A list that is a set is owned item by item", Sources.MergeStrategy, async s =>
        {
            await WidgetAsync(s, "one", """{"tags": ["a", "b"]}""");
            await WidgetAsync(s, "two", """{"tags": ["b", "c"]}""");

            (await WidgetAsync(s, "one", """{"tags": []}""")).Equal(new JsonArray("b", "c"), "spec", "tags");
        }),
        new("A list that is a map is owned by its keys, and its items field by field", Sources.MergeStrategy, async s =>
        {
            await WidgetAsync(s, "one", """{"ports": [{"name": "x", "port": 1}]}""");

            (await WidgetAsync(s, "two", """{"ports": [{"name": "x", "note": "n"}, {"name": "y", "port": 2}]}"""))
                .Equal(JsonNode.Parse("""[{"name": "x", "port": 1, "note": "n"}, {"name": "y", "port": 2}]"""), "spec", "ports");
        }),
        new("A conflict in a list that is a map names the item by its key", Sources.ApplyConflicts, async s =>
        {
            await WidgetAsync(s, "one", """{"ports": [{"name": "x", "port": 1}]}""");

            (await s.ApplyAsync(s.Widget("a"), s.Server.Widgets.Make("a", """{"ports": [{"name": "x", "port": 2}]}"""), "two"))
                .Refuses(409, "Conflict", ".spec.ports[name=\"x\"].port");
        }),
        new("An atomic list belongs to one manager as a whole", Sources.MergeStrategy, async s =>
        {
            await WidgetAsync(s, "one", """{"atoms": ["a"]}""");

            (await s.ApplyAsync(s.Widget("a"), s.Server.Widgets.Make("a", """{"atoms": ["b"]}"""), "two"))
                .Refuses(409, "Conflict", ".spec.atoms");
            (await s.ApplyAsync(s.Widget("a"), s.Server.Widgets.Make("a", """{"atoms": ["b"]}"""), "two", "force=true")).Is(200)
                .Equal(new JsonArray("b"), "spec", "atoms");
        }),
        new("A list of a custom kind without a type is atomic", Sources.MergeStrategy, async s =>
        {
            await WidgetAsync(s, "one", """{"plain": ["a"]}""");

            (await s.ApplyAsync(s.Widget("a"), s.Server.Widgets.Make("a", """{"plain": ["a", "b"]}"""), "two"))
                .Refuses(409, "Conflict", ".spec.plain");
        }),
        new("A map is owned key by key", Sources.MergeStrategy, async s =>
        {
            await WidgetAsync(s, "one", """{"options": {"a": "1"}}""");
            await WidgetAsync(s, "two", """{"options": {"b": "2"}}""");

            (await WidgetAsync(s, "one", "{}")).Equal(Json.Object("""{"b": "2"}"""), "spec", "options");
        }),
        new("An atomic map belongs to one manager as a whole", Sources.MergeStrategy, async s =>
        {
            await WidgetAsync(s, "one", """{"box": {"a": "1"}}""");

            (await s.ApplyAsync(s.Widget("a"), s.Server.Widgets.Make("a", """{"box": {"b": "2"}}"""), "two"))
                .Refuses(409, "Conflict", ".spec.box");
        }),
        new("Containers of a Deployment are owned by name", Sources.MergeStrategy, async s =>
        {
            (await s.ApplyAsync(s.Deployment("a"), Make.Deployment("a"), "one")).Is(201);
            var sidecar = Json.Object("""{"template": {"spec": {"containers": [{"name": "side", "image": "graft.invalid/side:1"}]}}}""");

            var both = (await s.ApplyAsync(s.Deployment("a"), Make.Named("apps/v1", "Deployment", "a").With(sidecar, "spec"), "two"))
                .Is(200);

            Assert.Equal(["main", "side"], both.At("spec", "template", "spec", "containers")!.AsArray().Select(c => (string?)c!["name"])
                .Order());
        }),
        new("What is left out falls back to its default", Sources.FieldManagement, async s =>
        {
            (await WidgetAsync(s, "one", """{"mode": "Fast"}""")).Equal("Fast", "spec", "mode");

            (await WidgetAsync(s, "one", "{}")).Equal("Slow", "spec", "mode");
        }),
        new("The status has an entry of its own in managedFields", Sources.FieldManagement, async s =>
        {
            await WidgetAsync(s, "one", """{"text": "x"}""");

            var written = (await s.ApplyAsync($"{s.Widget("a")}/status",
                Make.Named(s.Server.Widgets.ApiVersion, "Widget", "a").With("Done", "status", "phase"), "one")).Is(200)
                    .Equal("Done", "status", "phase");

            Assert.Equal(["", "status"], Managers(written).Select(m => (string?)m["subresource"] ?? "").Order());
        }),
        Case.Refused("The status of what is not there cannot be applied", Sources.PatchHandler,
            s => s.ApplyAsync($"{s.Widget("a")}/status", Make.Named(s.Server.Widgets.ApiVersion, "Widget", "a"), "one"), 404, "NotFound"),
        new("kubectl takes over what it applied from the client's side", Sources.FromClientSide, async s =>
        {
            var config = Make.ConfigMap("a", ("k", "1"));
            var annotated = ((JsonObject)config.DeepClone())
                .With(config.ToJsonString() + "\n", "metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration");
            (await s.PostAsync($"{s.ConfigMaps}?fieldManager=kubectl-client-side-apply", annotated)).Is(201);

            (await s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a", ("k", "2")), "kubectl")).Is(200).Equal("2", "data", "k");
        }),
        new("managedFields are cleared by a list of one empty entry", Sources.ClearingFields, async s =>
        {
            await AppliedAsync(s, "one", ("k", "1"));

            (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"metadata": {"managedFields": [{}]}}""")).Is(200)
                .Absent("metadata", "managedFields");
        }),
        new("An update with an empty list clears managedFields too", Sources.FieldManagerTests, async s =>
        {
            await AppliedAsync(s, "one", ("k", "1"));
            var owned = (await s.GetAsync(s.ConfigMap("a"))).Object;

            (await s.PutAsync(s.ConfigMap("a"), owned.With(new JsonArray(), "metadata", "managedFields"))).Is(200)
                .Absent("metadata", "managedFields");
        }),
        new("What nobody was known to own belongs to before-first-apply once something is applied", Sources.FieldManagement, async s =>
        {
            await s.ConfigMapAsync("a", ("k", "1"));
            (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"metadata": {"managedFields": [{}]}}""")).Is(200);

            Assert.Equal(["before-first-apply", "one"], Managers(await AppliedAsync(s, "one", ("l", "2")))
                .Select(m => (string?)m["manager"]).Order());
        }),
        new("An applied configuration has to make a valid object", Sources.FieldManagement, async s =>
            (await s.ApplyAsync(s.Widget("a"), s.Server.Widgets.Make("a", """{"replicas": -1}"""), "one"))
                .Refuses(422, "Invalid", "spec.replicas")),
        new("A uid in a configuration keeps apply from creating", Sources.PatchHandler, async s =>
            (await s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a")
                .With("00000000-0000-0000-0000-000000000000", "metadata", "uid"), "one"))
                .Refuses(409, "Conflict", "uid mismatch: the provided object specified uid")),
        new("An entry keeps its time when an apply changes nothing", Sources.BeforeUpdate, async s =>
        {
            var first = Assert.Single(Managers(await AppliedAsync(s, "one", ("k", "1"))));

            Assert.Equal((string?)first["time"], (string?)Assert.Single(Managers(await AppliedAsync(s, "one", ("k", "1"))))["time"]);
        }),
    ]);

    private static async Task<Answer> AppliedAsync(Space s, string manager, params (string, string)[] data)
    {
        var answer = await s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a", data), manager);
        Assert.True(answer.Code is 200 or 201, answer.Body);
        return answer;
    }

    private static async Task<Answer> WidgetAsync(Space s, string manager, string spec)
    {
        var answer = await s.ApplyAsync(s.Widget("a"), s.Server.Widgets.Make("a", spec), manager);
        Assert.True(answer.Code is 200 or 201, answer.Body);
        return answer;
    }

    private static List<JsonObject> Managers(Answer answer) => [.. (answer.At("metadata",
        "managedFields") as JsonArray ?? []).OfType<JsonObject>()];

    private static bool Owns(Answer answer, string manager, string key) =>
        Managers(answer).Where(m => (string?)m["manager"] == manager).Any(m => Json.At(m, ["fieldsV1", "f:data", key]) is not null);
}
