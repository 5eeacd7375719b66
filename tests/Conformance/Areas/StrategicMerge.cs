using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class StrategicMerge
{
    public static Area Area => new("Strategic merge patch",
    [
        new("Containers are found by name", Sources.StrategicPatch, async s =>
        {
            await FilledAsync(s);

            var patched = await TemplateAsync(s, """{"containers": [{"name": "main", "image": "graft.invalid/other:2"}]}""");

            Assert.Equal("graft.invalid/other:2", (string?)Container(patched, "main")!["image"]);
            Assert.Equal("1", (string?)Container(patched, "main")!["env"]![0]!["value"]);
            Assert.NotNull(Container(patched, "side"));
        }),
        new("A container of another name is added", Sources.StrategicPatch, async s =>
        {
            await FilledAsync(s);

            var patched = await TemplateAsync(s, """{"containers": [{"name": "new", "image": "graft.invalid/new:1"}]}""");

            Assert.Equal(["main", "new", "side"], Containers(patched).Order());
        }),
        new("A container is removed by the directive delete", Sources.StrategicNotes, async s =>
        {
            await FilledAsync(s);

            Assert.Equal(["main"], Containers(await TemplateAsync(s, """{"containers": [{"$patch": "delete", "name": "side"}]}""")));
        }),
        new("A list that would be merged is replaced by the directive replace", Sources.StrategicNotes, async s =>
        {
            await FilledAsync(s);

            var patched = await TemplateAsync(s,
                """{"containers": [{"name": "only", "image": "graft.invalid/only:1"}, {"$patch": "replace"}]}""");

            Assert.Equal(["only"], Containers(patched));
        }),
        new("Environment variables are found by name", Sources.StrategicPatch, async s =>
        {
            await FilledAsync(s);

            var patched = await TemplateAsync(s, """{"containers": [{"name": "main", "env": [{"name": "B", "value": "2"}]}]}""");

            Assert.Equal(["A", "B"], Container(patched, "main")!["env"]!.AsArray().Select(e => (string?)e!["name"]).Order());
        }),
        new("Lists without a merge key are replaced", Sources.StrategicPatch, async s =>
        {
            await FilledAsync(s);
            await TemplateAsync(s, """{"tolerations": [{"key": "a", "operator": "Exists"}]}""");

            var patched = await TemplateAsync(s, """{"tolerations": [{"key": "b", "operator": "Exists"}]}""");

            Assert.Equal("b", (string?)Assert.Single(patched.At("spec", "template", "spec", "tolerations")!.AsArray())!["key"]);
        }),
        new("Members are removed by null", Sources.StrategicNotes, async s =>
        {
            await FilledAsync(s);
            await TemplateAsync(s, """{"nodeSelector": {"x": "1"}}""");

            (await TemplateAsync(s, """{"nodeSelector": null}""")).Absent("spec", "template", "spec", "nodeSelector");
        }),
        new("A map is removed by the directive delete", Sources.StrategicNotes, async s =>
        {
            await FilledAsync(s);
            await TemplateAsync(s, """{"nodeSelector": {"x": "1"}}""");

            (await TemplateAsync(s, """{"nodeSelector": {"$patch": "delete"}}""")).Absent("spec", "template", "spec", "nodeSelector");
        }),
        new("A map that is emptied is not there any more", Sources.CoreTypes, async s =>
        {
            await FilledAsync(s);
            await TemplateAsync(s, """{"nodeSelector": {"x": "1"}}""");

            (await TemplateAsync(s, """{"nodeSelector": {"x": null}}""")).Absent("spec", "template", "spec", "nodeSelector");
        }),
        new("A map is replaced by the directive replace", Sources.StrategicNotes, async s =>
        {
            await FilledAsync(s);
            await TemplateAsync(s, """{"nodeSelector": {"x": "1"}}""");

            (await TemplateAsync(s, """{"nodeSelector": {"$patch": "replace", "y": "2"}}"""))
                .Equal(Json.Object("""{"y": "2"}"""), "spec", "template", "spec", "nodeSelector");
        }),
        new("retainKeys clears the members that it does not name", Sources.StrategicPatch, async s =>
        {
            await s.DeploymentAsync("a");

            (await PatchAsync(s, """{"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}"""))
                .Equal(Json.Object("""{"type": "Recreate"}"""), "spec", "strategy");
        }),
        new("A change of a Deployment's strategy has to remove what belongs to the other one", Sources.StrategicPatch, async s =>
        {
            await s.DeploymentAsync("a");

            (await s.PatchAsync(s.Deployment("a"), "merge", """{"spec": {"strategy": {"type": "Recreate"}}}"""))
                .Refuses(422, "Invalid", "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'");
        }),
        new("Items are removed from a set of texts by deleteFromPrimitiveList", Sources.StrategicNotes, async s =>
        {
            await HeldAsync(s);

            (await s.PatchAsync(s.ConfigMap("a"), "strategic-merge",
                """{"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/b"]}}""")).Is(200)
                .Equal(new JsonArray("example.com/a", "example.com/c"), "metadata", "finalizers");
            await ReleaseAsync(s);
        }),
        new("A set of texts is put in order by setElementOrder", Sources.StrategicNotes, async s =>
        {
            await HeldAsync(s);

            (await s.PatchAsync(s.ConfigMap("a"), "strategic-merge",
                """{"metadata": {"$setElementOrder/finalizers": ["example.com/c", "example.com/a", "example.com/b"]}}""")).Is(200)
                .Equal(new JsonArray("example.com/c", "example.com/a", "example.com/b"), "metadata", "finalizers");
            await ReleaseAsync(s);
        }),
        new("Items are added to a set of texts", Sources.StrategicNotes, async s =>
        {
            await HeldAsync(s);

            var patched = (await s.PatchAsync(s.ConfigMap("a"), "strategic-merge", """{"metadata": {"finalizers": ["example.com/d"]}}"""))
                .Is(200);

            Assert.Equal(["example.com/a", "example.com/b", "example.com/c", "example.com/d"],
                patched.At("metadata", "finalizers")!.AsArray().Select(f => (string?)f).Order());
            await ReleaseAsync(s);
        }),
        new("Containers are put in order by setElementOrder", Sources.StrategicNotes, async s =>
        {
            await FilledAsync(s);

            var patched = await TemplateAsync(s, """{"$setElementOrder/containers": [{"name": "side"}, {"name": "main"}]}""");

            Assert.Equal(["side", "main"], Containers(patched));
        }),
        new("Ports of a Service are found by number", Sources.StrategicPatch, async s =>
        {
            (await s.PostAsync(s.Services, Make.Service("a"))).Is(201);

            (await s.PatchAsync($"{s.Services}/a", "strategic-merge", """{"spec": {"ports": [{"port": 80, "name": "web"}]}}""")).Is(200)
                .Equal("web", "spec", "ports", "0", "name").Absent("spec", "ports", "1");
        }),
        new("Custom objects cannot be patched so", Sources.StrategicPatch, async s =>
        {
            await s.WidgetAsync("a");

            (await s.PatchAsync(s.Widget("a"), "strategic-merge", "{}"))
                .Refuses(415, "UnsupportedMediaType", "the body of the request was in an unknown format");
        }),
    ]);

    private static async Task FilledAsync(Space s)
    {
        var deployment = Make.Deployment("a");
        deployment["spec"]!["template"]!["spec"]!["containers"] = JsonNode.Parse("""
            [{"name": "main", "image": "graft.invalid/none:1", "env": [{"name": "A", "value": "1"}]}, {"name": "side", "image": "graft.invalid/side:1"}]
            """);
        (await s.PostAsync(s.Deployments, deployment)).Is(201);
    }

    private static async Task HeldAsync(Space s)
    {
        var held = Make.ConfigMap("a").With(new JsonArray("example.com/a", "example.com/b", "example.com/c"), "metadata", "finalizers");
        (await s.PostAsync(s.ConfigMaps, held)).Is(201);
    }

    private static async Task ReleaseAsync(Space s) =>
        (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"metadata": {"finalizers": null}}""")).Is(200);

    private static async Task<Answer> PatchAsync(Space s, string patch) => (await s.PatchAsync(s.Deployment("a"), "strategic-merge", patch))
        .Is(200);

    private static Task<Answer> TemplateAsync(Space s, string podSpec) => PatchAsync(s,
        """{"spec": {"template": {"spec": """ + podSpec + "}}}");

    private static IEnumerable<string?> Containers(Answer deployment) =>
        deployment.At("spec", "template", "spec", "containers")!.AsArray().Select(c => (string?)c!["name"]);

    private static JsonNode? Container(Answer deployment, string name) =>
        deployment.At("spec", "template", "spec", "containers")!.AsArray().FirstOrDefault(c => (string?)c!["name"] == name);
}
