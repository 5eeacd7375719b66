using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class JsonPatches
{
    public static Area Area => new("JSON patch",
    [
        Patched("add sets a member", """[{"op": "add", "path": "/data/c", "value": "3"}]""", """{"a": "1", "b": "2", "c": "3"}"""),
        Patched("add replaces a member that is there", """[{"op": "add", "path": "/data/a", "value": "3"}]""", """{"a": "3", "b": "2"}"""),
        Patched("replace changes a member", """[{"op": "replace", "path": "/data/a", "value": "3"}]""", """{"a": "3", "b": "2"}"""),
        Patched("remove removes a member", """[{"op": "remove", "path": "/data/a"}]""", """{"b": "2"}"""),
        Patched("move takes a member elsewhere", """[{"op": "move", "from": "/data/a", "path": "/data/c"}]""", """{"b": "2", "c": "1"}"""),
        Patched("copy makes a second member", """[{"op": "copy", "from": "/data/a", "path": "/data/c"}]""",
            """{"a": "1", "b": "2", "c": "1"}"""),
        Patched("Operations are done in their order", """
            [{"op": "test", "path": "/data/a", "value": "1"}, {"op": "replace", "path": "/data/a", "value": "3"}, {"op": "test", "path": "/data/a", "value": "3"}]
            """, """{"a": "3", "b": "2"}"""),
        new("An item can be inserted into a list and appended to it", Sources.JsonPatch, async s =>
        {
            await s.WidgetAsync("a", """{"plain": ["x", "z"]}""");

            var patch = """[{"op": "add", "path": "/spec/plain/1", "value": "y"}, {"op": "add", "path": "/spec/plain/-", "value": "end"}]""";
            (await s.PatchAsync(s.Widget("a"), "json", patch)).Is(200)
                .Equal(System.Text.Json.Nodes.JsonNode.Parse("""["x", "y", "z", "end"]"""), "spec", "plain");
        }),
        new("Slashes and tildes in names are escaped", Sources.JsonPointer, async s =>
        {
            await s.ConfigMapAsync("a");
            (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"metadata": {"annotations": {"example.com/x": "1"}}}""")).Is(200);

            (await s.PatchAsync(s.ConfigMap("a"), "json",
                """[{"op": "replace", "path": "/metadata/annotations/example.com~1x", "value": "2"}]""")).Is(200)
                .Equal("2", "metadata", "annotations", "example.com/x");
        }),
        Refused("A test that fails refuses the patch", Sources.PatchHandler, """[{"op": "test", "path": "/data/a", "value": "9"}]""", 422),
        Refused("Removing what is not there refuses the patch", Sources.PatchHandler, """[{"op": "remove", "path": "/data/c"}]""", 422),
        Refused("Replacing what is not there refuses the patch", Sources.PatchHandler,
            """[{"op": "replace", "path": "/data/c", "value": "1"}]""", 422),
        Refused("Adding below what is not there refuses the patch", Sources.PatchHandler,
            """[{"op": "add", "path": "/none/c", "value": "1"}]""", 422),
        Refused("An operation of another name refuses the patch", Sources.JsonPatch, """[{"op": "increment", "path": "/data/a"}]""", 422),
        Refused("A patch that is no list of operations is a bad request", Sources.PatchHandler, """{"op": "remove", "path": "/data/a"}""",
            400),
        Refused("A patch that is no JSON is a bad request", Sources.PatchHandler, "[{", 400),
        new("A patch that is refused changes nothing, not even by the operations before", Sources.JsonPatch, async s =>
        {
            var made = await FilledAsync(s);

            (await s.PatchAsync(s.ConfigMap("a"), "json",
                """[{"op": "remove", "path": "/data/a"}, {"op": "test", "path": "/data/b", "value": "9"}]""")).Is(422);

            (await s.GetAsync(s.ConfigMap("a"))).Equal(made.Version, "metadata", "resourceVersion").Equal("1", "data", "a");
        }),
        new("A patch of more than 10000 operations is too large", Sources.PatchHandler, async s =>
        {
            await FilledAsync(s);

            var patch = $"[{string.Join(',', Enumerable.Repeat("""{"op":"test","path":"/data/a","value":"1"}""", 10_001))}]";
            (await s.PatchAsync(s.ConfigMap("a"), "json", patch)).Refuses(413, "RequestEntityTooLarge", "10000");
        }),
        new("A patch cannot change the name", Sources.Handlers, async s =>
        {
            await FilledAsync(s);

            (await s.PatchAsync(s.ConfigMap("a"), "json", """[{"op": "replace", "path": "/metadata/name", "value": "b"}]"""))
                .Refuses(400, "BadRequest", "the name of the object (b) does not match the name on the URL (a)");
        }),
        new("What a patch makes has to be valid", Sources.PatchHandler, async s =>
        {
            await s.WidgetAsync("a");

            (await s.PatchAsync(s.Widget("a"), "json", """[{"op": "add", "path": "/spec/mode", "value": "Sideways"}]"""))
                .Refuses(422, "Invalid", "spec.mode");
        }),
        Case.Refused("A patch of what is not there is refused with 404", Sources.PatchHandler,
            s => s.PatchAsync(s.ConfigMap("none"), "json", "[]"), 404, "NotFound"),
    ]);

    private static Case Patched(string sentence, string patch, string data) => new(sentence, Sources.JsonPatch, async s =>
    {
        await FilledAsync(s);
        (await s.PatchAsync(s.ConfigMap("a"), "json", patch)).Is(200).Equal(Json.Object(data), "data");
    });

    private static Case Refused(string sentence, Source source, string patch, int code) => new(sentence, source, async s =>
    {
        await FilledAsync(s);
        (await s.PatchAsync(s.ConfigMap("a"), "json", patch)).Is(code).Equal("Status", "kind").Equal(code, "code");
    });

    private static Task<Answer> FilledAsync(Space s) => s.ConfigMapAsync("a", ("a", "1"), ("b", "2"));
}
