using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class MergePatches
{
    public static Area Area => new("JSON merge patch",
    [
        Patched("A merge patch sets members and leaves the others", """{"spec": {"text": "y"}}""",
            """{"mode": "Slow", "text": "y", "plain": ["p"], "options": {"k": "1"}}"""),
        Patched("A merge patch removes members by null", """{"spec": {"text": null}}""",
            """{"mode": "Slow", "plain": ["p"], "options": {"k": "1"}}"""),
        Patched("A merge patch replaces lists whole", """{"spec": {"plain": ["q"]}}""",
            """{"mode": "Slow", "text": "x", "plain": ["q"], "options": {"k": "1"}}"""),
        Patched("A merge patch replaces lists whole even where apply would merge them", """{"spec": {"tags": ["b"]}}""",
            """{"mode": "Slow", "text": "x", "plain": ["p"], "options": {"k": "1"}, "tags": ["b"]}"""),
        Patched("A merge patch merges objects at every depth", """{"spec": {"options": {"l": "2"}}}""",
            """{"mode": "Slow", "text": "x", "plain": ["p"], "options": {"k": "1", "l": "2"}}"""),
        Patched("Nulls in an object that is new are left out", """{"spec": {"box": {"a": "1", "b": null}}}""",
            """{"mode": "Slow", "text": "x", "plain": ["p"], "options": {"k": "1"}, "box": {"a": "1"}}"""),
        Patched("What a patch removes is defaulted again", """{"spec": {"mode": null}}""",
            """{"mode": "Slow", "text": "x", "plain": ["p"], "options": {"k": "1"}}"""),
        new("An empty merge patch changes nothing", Sources.MergePatch, async s =>
        {
            var made = await s.ConfigMapAsync("a");

            (await s.PatchAsync(s.ConfigMap("a"), "merge", "{}")).Is(200).Equal(made.Version, "metadata", "resourceVersion");
        }),
        new("A merge patch removes labels by null", Sources.MergePatch, async s =>
        {
            await s.LabelledAsync("a", "x", "1");

            (await s.PatchAsync(s.Secret("a"), "merge", """{"metadata": {"labels": {"x": null, "y": "2"}}}""")).Is(200)
                .Equal(Json.Object("""{"y": "2"}"""), "metadata", "labels");
        }),
        Refused("A merge patch that is no object is a bad request", "[]", 400),
        Refused("A merge patch that is no JSON is a bad request", "{", 400),
        new("A merge patch cannot change the name", Sources.Handlers, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"metadata": {"name": "b"}}"""))
                .Refuses(400, "BadRequest", "the name of the object (b) does not match the name on the URL (a)");
        }),
        new("A merge patch cannot change the namespace", Sources.BeforeUpdate, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"metadata": {"namespace": "elsewhere"}}"""))
                .Refuses(400, "BadRequest", "does not match the namespace");
        }),
        new("A charset in the content type does not matter", Sources.PatchHandler, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.SendAsync(HttpMethod.Patch, s.ConfigMap("a"), """{"data": {"k": "1"}}""",
                "application/merge-patch+json; charset=utf-8")).Is(200).Equal("1", "data", "k");
        }),
        Case.Refused("A merge patch of what is not there is refused with 404", Sources.PatchHandler,
            s => s.PatchAsync(s.ConfigMap("none"), "merge", "{}"), 404, "NotFound"),
    ]);

    private static Case Patched(string sentence, string patch, string spec) => new(sentence, Sources.MergePatch, async s =>
    {
        await s.WidgetAsync("a", """{"text": "x", "plain": ["p"], "options": {"k": "1"}}""");
        (await s.PatchAsync(s.Widget("a"), "merge", patch)).Is(200).Equal(JsonNode.Parse(spec), "spec");
    });

    private static Case Refused(string sentence, string patch, int code) => new(sentence, Sources.PatchHandler, async s =>
    {
        await s.ConfigMapAsync("a");
        (await s.PatchAsync(s.ConfigMap("a"), "merge", patch)).Is(code).Equal("Status", "kind").Equal(code, "code");
    });
}
