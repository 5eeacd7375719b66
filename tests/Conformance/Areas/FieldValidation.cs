using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class FieldValidation
{
    private const string Strict = "?fieldValidation=Strict";
    private const string Ignore = "?fieldValidation=Ignore";
    private const string Unknown = """{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "datas": {}}""";
    private const string Twice = """{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "1"}, "data": {"k": "2"}}""";

    public static Area Area => new("Field validation",
    [
        Case.Refused("Strict refuses an unknown field of a new object", Sources.FieldValidation,
            s => PostAsync(s, Strict, Unknown), 400, "BadRequest", "strict decoding error", "unknown field \"datas\""),
        Case.Refused("Strict refuses a field that stands twice", Sources.FieldValidation,
            s => PostAsync(s, Strict, Twice), 400, "BadRequest", "strict decoding error", "duplicate field \"data\""),
        Case.Refused("Strict names all unknown fields at once, by their paths", Sources.FieldValidation,
            s => s.PostAsync(s.Deployments + Strict, Make.Deployment("a", "\"paces\": 1").With(1, "spec", "template", "spec", "colour")),
            400, "BadRequest", "unknown field \"spec.paces\"", "unknown field \"spec.template.spec.colour\""),
        Case.Refused("Names of fields are told by case", Sources.FieldValidation,
            s => s.PostAsync(s.ConfigMaps + Strict, Make.ConfigMap("a")
                .With(Json.Object("{}"), "Data")), 400, "BadRequest", "unknown field \"Data\""),
        Case.Refused("Strict refuses an unknown field of metadata", Sources.FieldValidation,
            s => s.PostAsync(s.ConfigMaps + Strict, Make.ConfigMap("a")
                .With("x", "metadata", "nickname")), 400, "BadRequest", "unknown field \"metadata.nickname\""),
        new("Warn stores the object without the unknown field, and sends a Warning header", Sources.FieldValidation, async s =>
        {
            var made = (await PostAsync(s, "?fieldValidation=Warn", Unknown)).Is(201).Absent("datas");

            Assert.Equal("299 - \"unknown field \\\"datas\\\"\"", Assert.Single(made.Warnings));
        }),
        new("Warn stores the last of duplicate fields, and sends a Warning header", Sources.FieldValidation, async s =>
        {
            var made = (await PostAsync(s, "?fieldValidation=Warn", Twice)).Is(201).Equal("2", "data", "k");

            Assert.Equal("299 - \"duplicate field \\\"data\\\"\"", Assert.Single(made.Warnings));
        }),
        new("Without fieldValidation the server warns", Sources.FieldValidation, async s =>
            Assert.Single((await PostAsync(s, "", Unknown)).Is(201).Warnings)),
        new("Ignore drops an unknown field without a word", Sources.FieldValidation, async s =>
            Assert.Empty((await PostAsync(s, Ignore, Unknown)).Is(201).Absent("datas").Warnings)),
        new("Ignore stores the last of duplicate fields without a word", Sources.FieldValidation, async s =>
            Assert.Empty((await PostAsync(s, Ignore, Twice)).Is(201).Equal("2", "data", "k").Warnings)),
        Case.Refused("A fieldValidation that is none of the three is refused", Sources.Options,
            s => PostAsync(s, "?fieldValidation=Loose", Unknown), 422, "Invalid", "fieldValidation: Unsupported value: \"Loose\""),
        new("Strict refuses an unknown field in an update", Sources.FieldValidation, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.SendAsync(HttpMethod.Put, s.ConfigMap("a") + Strict, Unknown, "application/json"))
                .Refuses(400, "BadRequest", "strict decoding error", "unknown field \"datas\"");
        }),
        new("Strict refuses an unknown field in a merge patch as an invalid patch", Sources.PatchHandler, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.PatchAsync(s.ConfigMap("a") + Strict, "merge", """{"datas": {}}"""))
                .Refuses(422, "Invalid", "patch: Invalid value", "strict decoding error", "unknown field \"datas\"");
        }),
        new("Strict refuses a field that stands twice in a merge patch", Sources.PatchHandler, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.PatchAsync(s.ConfigMap("a") + Strict, "merge", """{"data": {"k": "1"}, "data": {"k": "2"}}"""))
                .Refuses(422, "Invalid", "patch: Invalid value", "duplicate field \"data\"");
        }),
        new("Strict refuses an unknown field that a JSON patch adds", Sources.PatchHandler, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.PatchAsync(s.ConfigMap("a") + Strict, "json", """[{"op": "add", "path": "/datas", "value": {}}]"""))
                .Refuses(422, "Invalid", "patch: Invalid value", "unknown field \"datas\"");
        }),
        new("Strict refuses an unknown field in a strategic merge patch", Sources.PatchHandler, async s =>
        {
            await s.ConfigMapAsync("a");

            (await s.PatchAsync(s.ConfigMap("a") + Strict, "strategic-merge", """{"datas": {}}"""))
                .Refuses(422, "Invalid", "patch: Invalid value", "unknown field \"datas\"");
        }),
        new("A merge patch with an unknown field is warned about", Sources.FieldValidation, async s =>
        {
            await s.ConfigMapAsync("a");

            Assert.Single((await s.PatchAsync(s.ConfigMap("a"), "merge", """{"datas": {}}""")).Is(200).Warnings);
        }),
        new("A configuration with a field that the schema does not declare cannot be applied, whatever fieldValidation says",
            Sources.TypedApply, async s =>
            (await s.ApplyAsync(s.ConfigMap("a"), Make.ConfigMap("a").With(Json.Object("{}"), "datas"), "one", "fieldValidation=Ignore"))
                .Refuses(500, "", "failed to create typed patch object", ".datas: field not declared in schema")),
        Case.Refused("Strict refuses an unknown field of a custom object", Sources.FieldValidation,
            s => s.PostAsync(s.Widgets + Strict, s.Server.Widgets.Make("a", """{"colour": "red"}""")), 400, "BadRequest",
                "unknown field \"spec.colour\""),
        new("An unknown field of a custom object is pruned, with a warning", Sources.FieldValidation, async s =>
            Assert.Single((await s.PostAsync(s.Widgets, s.Server.Widgets.Make("a", """{"colour": "red"}"""))).Is(201)
                .Absent("spec", "colour").Warnings)),
        Case.Refused("Strict refuses a key that stands twice in YAML", Sources.FieldValidation,
            s => s.SendAsync(HttpMethod.Post, s.ConfigMaps + Strict,
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: '1'}\ndata: {k: '2'}\n", "application/yaml"),
            400, "BadRequest", "strict decoding error: yaml: unmarshal errors:\n  line 5: key \"data\" already set in map"),
        new("Of a key that stands twice in YAML the last counts, where fields are ignored", Sources.YamlDecoder, async s =>
            (await s.SendAsync(HttpMethod.Post, s.ConfigMaps + Ignore,
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: '1'}\ndata: {k: '2'}\n", "application/yaml")).Is(201)
                .Equal("2", "data", "k")),
        Case.Refused("A value of another type is refused even where fields are ignored", Sources.Handlers,
            s => s.PostAsync(s.ConfigMaps + Ignore, Make.ConfigMap("a")
                .With("text", "data")), 400, "BadRequest", "ConfigMap in version \"v1\" cannot be handled as a ConfigMap"),
    ]);

    private static Task<Answer> PostAsync(Space s, string query, string body) =>
        s.SendAsync(HttpMethod.Post, s.ConfigMaps + query, body, "application/json");
}
