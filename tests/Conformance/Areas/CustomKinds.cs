using System.Text.Json.Nodes;
using Graft.Conformance.Harness;
using static Graft.Conformance.Areas.Definition;

namespace Graft.Conformance.Areas;

internal static class CustomKinds
{
    private const string Text = """ "spec": {"type": "object", "properties": {"text": {"type": "string"}}}""";

    public static Area Area => new("Custom kinds",
    [
        new("A definition is Established when its names are accepted, and says what is stored", Sources.Definitions, s => ServedAsync(s, Text, async d =>
        {
            var definition = (await s.GetAsync(d.Path)).Is(200).Equal(new JsonArray("v1"), "status", "storedVersions")
                .Equal("Thing", "status", "acceptedNames", "kind");
            Assert.True(Is(definition, "NamesAccepted"), definition.Body);
        })),
        new("A new kind is in the discovery of its group", Sources.Definitions, s => ServedAsync(s, Text, async d =>
            await s.UntilAsync("the kind is discovered", async () => (await s.GetAsync($"/apis/{d.Group}/v1")).Body.Contains("\"things\"", StringComparison.Ordinal)))),
        Refused("The name of a definition is its plural and its group", Sources.DefinitionValidation,
            d => d.Make1(Text).With("other.example.com", "metadata", "name"), "metadata.name: Invalid value", "must be spec.names.plural+\".\"+spec.group"),
        Refused("Exactly one version is stored", Sources.DefinitionValidation, d => d.Whole(Version("v1", Text, true), Version("v2", Text, true)),
            "must have exactly one version marked as storage version"),
        Refused("A version needs a schema", Sources.DefinitionValidation, d =>
        {
            var definition = d.Make1(Text);
            definition["spec"]!["versions"]![0]!.AsObject().Remove("schema");
            return definition;
        }, "schema.openAPIV3Schema: Required value: schemas are required"),
        Refused("Every field of a schema has a type", Sources.CustomSchema, d => d.Make1(""" "spec": {"properties": {"a": {"type": "string"}}}"""),
            "openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields"),
        Refused("A list has a schema for its items", Sources.CustomSchema, d => d.Make1(""" "spec": {"type": "object", "properties": {"a": {"type": "array"}}}"""),
            "properties[spec].properties[a].items: Required value: must be specified"),
        Refused("A default has to be valid", Sources.Defaulting, d => d.Make1(""" "spec": {"type": "object", "properties": {"a": {"type": "integer", "default": "x"}}}"""),
            "properties[spec].properties[a].default: Invalid value", "must be of type integer"),
        Refused("The items of a map list have their keys required or defaulted", Sources.MergeStrategy, d => d.Make1("""
            "spec": {"type": "object", "properties": {"a": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
              "items": {"type": "object", "properties": {"k": {"type": "string"}}}}}}
            """), "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"),
        new("The scope of a kind cannot change", Sources.DefinitionValidation, s => ServedAsync(s, Text, async d =>
            (await s.PatchAsync(d.Path, "merge", """{"spec": {"scope": "Cluster"}}""")).Refuses(422, "Invalid", "spec.scope: Invalid value: \"Cluster\"", "field is immutable"))),
        new("Defaults are filled in when an object is made", Sources.Defaulting, s => ServedAsync(s,
            """ "spec": {"type": "object", "default": {}, "properties": {"mode": {"type": "string", "default": "slow"}}}""",
            async d => (await s.PostAsync(d.In(), d.Object("a"))).Is(201).Equal("slow", "spec", "mode"))),
        new("A default that is added later is seen in objects that were there before", Sources.Defaulting, s => ServedAsync(s, Text, async d =>
        {
            (await s.PostAsync(d.In(), d.Object("a", """{"spec": {}}"""))).Is(201);
            var changed = (await s.GetAsync(d.Path)).Object;
            changed["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!["properties"]!["text"]!["default"] = "late";
            (await s.PutAsync(d.Path, changed)).Is(200);

            await s.UntilAsync("the default is read", async () => (string?)(await s.GetAsync($"{d.In()}/a")).At("spec", "text") == "late");
        })),
        new("Unknown fields are pruned at every depth", Sources.Pruning, s => ServedAsync(s, Text, async d =>
            (await s.PostAsync(d.In(), d.Object("a", """{"spec": {"text": "x", "other": 1}, "more": {}}"""))).Is(201).Absent("spec", "other").Absent("more"))),
        new("x-kubernetes-preserve-unknown-fields keeps what is below it", Sources.Pruning, s => ServedAsync(s,
            """ "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}""",
            async d => (await s.PostAsync(d.In(), d.Object("a", """{"spec": {"any": {"thing": [1]}}}"""))).Is(201).Equal(1, "spec", "any", "thing", "0"))),
        new("Null is kept where the schema says nullable, and dropped for the default elsewhere", Sources.Defaulting, s => ServedAsync(s, """
            "spec": {"type": "object", "properties": {"kept": {"type": "string", "nullable": true, "default": "d"}, "filled": {"type": "string", "default": "d"}}}
            """, async d =>
        {
            var made = (await s.PostAsync(d.In(), d.Object("a", """{"spec": {"kept": null, "filled": null}}"""))).Is(201).Equal("d", "spec", "filled");
            Assert.True(made.Object["spec"]!.AsObject().TryGetPropertyValue("kept", out var kept) && kept is null, made.Body);
        })),
        Refusing("A number above its maximum is refused", """ "n": {"type": "integer", "maximum": 3}""", """{"n": 4}""", "spec.n: Invalid value: 4", "should be less than or equal to 3"),
        Refusing("A text that is too long is refused", """ "t": {"type": "string", "maxLength": 2}""", """{"t": "abc"}""", "spec.t: Too long: may not be more than 2"),
        Refusing("A text that does not match its pattern is refused", """ "t": {"type": "string", "pattern": "^a+$"}""", """{"t": "b"}""",
            "spec.t: Invalid value: \"b\": spec.t in body should match '^a+$'"),
        Refusing("A list with too many items is refused", """ "l": {"type": "array", "maxItems": 1, "items": {"type": "string"}}""", """{"l": ["a", "b"]}""",
            "spec.l: Too many: 2: must have at most 1 item"),
        Refusing("A text of another format is refused", """ "t": {"type": "string", "format": "date-time"}""", """{"t": "yesterday"}""",
            "spec.t: Invalid value: \"yesterday\": spec.t in body must be of type date-time: \"yesterday\""),
        Refusing("What matches none of anyOf is refused", """
            "x": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
            """, """{"x": {}}""", "spec.x"),
        Refusing("What matches not is refused", """ "n": {"type": "integer", "not": {"enum": [3]}}""", """{"n": 3}""", "spec.n: Invalid value", "must not validate the schema (not)"),
        new("An int-or-string is either", Sources.CustomSchema, s => ServedAsync(s,
            """ "spec": {"type": "object", "properties": {"p": {"x-kubernetes-int-or-string": true}}}""", async d =>
        {
            (await s.PostAsync(d.In(), d.Object("a", """{"spec": {"p": 1}}"""))).Is(201);
            (await s.PostAsync(d.In(), d.Object("b", """{"spec": {"p": "50%"}}"""))).Is(201);
            (await s.PostAsync(d.In(), d.Object("c", """{"spec": {"p": true}}"""))).Is(422);
        })),
        new("Several versions are served of one object, which differ in name alone", Sources.Versioning, s => ServedAsync(s,
            d => d.Whole(Version("v1", Text, true), Version("v2", Text, false)), async d =>
        {
            (await s.PostAsync(d.In(), d.Object("a", """{"spec": {"text": "x"}}"""))).Is(201).Equal($"{d.Group}/v1", "apiVersion");

            await s.UntilAsync("the other version is served", async () => (await s.GetAsync(d.In("v2"))).Code == 200);
            (await s.GetAsync($"{d.In("v2")}/a")).Is(200).Equal($"{d.Group}/v2", "apiVersion").Equal("x", "spec", "text");
            (await s.GetAsync(d.In("v2"))).Is(200).Equal($"{d.Group}/v2", "items", "0", "apiVersion");
        })),
        new("A version that is not served is not found", Sources.Versioning, s => ServedAsync(s,
            d => d.Whole(Version("v1", Text, true), Version("v2", Text, false).Replace("\"served\": true", "\"served\": false", StringComparison.Ordinal)),
            async d => (await s.GetAsync(d.In("v2"))).Is(404))),
        new("A deprecated version is warned about", Sources.Versioning, s => ServedAsync(s, Text, async d =>
            Assert.Contains($"{d.Group}/v1 Thing is deprecated", Assert.Single((await s.GetAsync(d.In())).Is(200).Warnings), StringComparison.Ordinal),
            """ "deprecated": true""")),
        new("A deprecation can have a text of its own", Sources.Versioning, s => ServedAsync(s, Text, async d =>
            Assert.Contains("use something else", Assert.Single((await s.GetAsync(d.In())).Is(200).Warnings), StringComparison.Ordinal),
            """ "deprecated": true, "deprecationWarning": "use something else" """)),
        new("Printer columns are read by their paths, and dates are ages", Sources.CustomColumns, s => ServedAsync(s, Text, async d =>
        {
            (await s.PostAsync(d.In(), d.Object("a", """{"spec": {"text": "x"}}"""))).Is(201);
            var table = (await s.GetAsync(d.In(), "application/json;as=Table;v=v1;g=meta.k8s.io")).Is(200);
            Assert.Equal(["Name", "Text", "Born"], table.At("columnDefinitions")!.AsArray().Select(c => (string?)c!["name"]));
            Assert.Equal("x", (string?)table.At("rows", "0", "cells", "1"));
            Assert.Matches("^[0-9]+s$", (string?)table.At("rows", "0", "cells", "2"));
            table.Equal(1, "columnDefinitions", "1", "priority");
        }, """
            "additionalPrinterColumns": [{"name": "Text", "type": "string", "jsonPath": ".spec.text", "priority": 1}, {"name": "Born", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]
            """)),
        new("A kind without a status subresource has none", Sources.CustomStatus, s => ServedAsync(s,
            """ "status": {"type": "object", "properties": {"phase": {"type": "string"}}}""", async d =>
        {
            (await s.PostAsync(d.In(), d.Object("a", """{"status": {"phase": "x"}}"""))).Is(201).Equal("x", "status", "phase");
            (await s.GetAsync($"{d.In()}/a/status")).Is(404);
        })),
        new("Short names and categories are discovered", Sources.Definitions, s => ServedAsync(s, d =>
            d.Make1(Text).With(new JsonArray("thg"), "spec", "names", "shortNames").With(new JsonArray("conformance"), "spec", "names", "categories"), async d =>
        {
            await s.UntilAsync("the kind is discovered", async () => (await s.GetAsync($"/apis/{d.Group}/v1")).Body.Contains("\"things\"", StringComparison.Ordinal));
            var resource = (await s.GetAsync($"/apis/{d.Group}/v1")).At("resources")!.AsArray().Single(r => (string?)r!["name"] == "things")!;
            Assert.Equal("""["thg"]["conformance"]""", resource["shortNames"]!.ToJsonString() + resource["categories"]!.ToJsonString());
        })),
        new("With a definition all its objects go, and its kind", Sources.DefinitionDeletion, async s =>
        {
            var path = "";
            await ServedAsync(s, Text, async d =>
            {
                path = d.Path;
                (await s.PostAsync(d.In(), d.Object("a"))).Is(201);
                (await s.DeleteAsync(d.Path)).Is(200);
                await s.GoneAsync(d.Path);
                await s.UntilAsync("the kind is not served", async () => (await s.GetAsync(d.In())).Code == 404);
            });
            Assert.NotEmpty(path);
        }),
    ]);

    private static Case Refusing(string sentence, string property, string spec, params string[] words) => new(sentence, Sources.CustomSchema, s => ServedAsync(s,
        $$$""" "spec": {"type": "object", "properties": {{{{property}}}}}""", async d =>
            (await s.PostAsync(d.In(), d.Object("a", $$"""{"spec": {{spec}}}"""))).Refuses(422, "Invalid", words)));
}
