using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

/// <summary>Custom kinds that cases define for themselves, in a group of their namespace.</summary>
internal sealed record Definition(Space Space, string Plural)
{
    private const string Kind = "Thing";

    public string Group => $"{Space.Name}.graft.dev";

    public string Path => $"{Widgets.Definitions}/{Plural}.{Group}";

    public string In(string version = "v1") => $"/apis/{Group}/{version}/namespaces/{Space.Name}/{Plural}";

    public JsonObject Object(string name, string body = "{}", string version = "v1")
    {
        var made = Make.Named($"{Group}/{version}", Kind, name);
        foreach (var (member, value) in Json.Object(body))
            made[member] = value?.DeepClone();
        return made;
    }

    /// <summary>The definition with one version whose schema has these properties.</summary>
    /// <param name="properties">Members of the schema's <c>properties</c>.</param>
    public JsonObject Make1(string properties, string more = "") => Whole(Version("v1", properties, true, more));

    public JsonObject Whole(params string[] versions) => Json.Object($$$"""
        {
          "apiVersion": "apiextensions.k8s.io/v1",
          "kind": "CustomResourceDefinition",
          "metadata": {"name": "{{{Plural}}}.{{{Group}}}"},
          "spec": {
            "group": "{{{Group}}}",
            "scope": "Namespaced",
            "names": {"plural": "{{{Plural}}}", "singular": "thing", "kind": "{{{Kind}}}", "listKind": "ThingList"},
            "versions": [{{{string.Join(",", versions)}}}]
          }
        }
        """);

    public static string Version(string name, string properties, bool storage, string more = "")
    {
        var (stored, rest) = (storage ? "true" : "false", more.Length > 0 ? "," + more : "");
        var schema = "{\"type\": \"object\", \"properties\": {" + properties + "}}";
        return $$$"""{"name": "{{{name}}}", "served": true, "storage": {{{stored}}}, "schema": {"openAPIV3Schema": {{{schema}}}}{{{rest}}}}""";
    }

    /// <summary>Creates it, waits until it is served, runs what is to be seen, and removes it.</summary>
    public static Task ServedAsync(Space s, string properties, Func<Definition, Task> see, string more = "") =>
        ServedAsync(s, d => d.Make1(properties, more), see);

    public static async Task ServedAsync(Space s, Func<Definition, JsonObject> make, Func<Definition, Task> see)
    {
        var definition = new Definition(s, "things");
        (await s.PostAsync(Widgets.Definitions, make(definition))).Is(201);
        try
        {
            await s.UntilAsync("the definition is established", async () => Is(await s.GetAsync(definition.Path), "Established"));
            await s.UntilAsync("the kind is served", async () => (await s.GetAsync(definition.In())).Code == 200);
            await see(definition);
        }
        finally
        {
            await s.DeleteAsync(definition.Path);
        }
    }

    public static Case Refused(string sentence, Source source, Func<Definition, JsonObject> make, params string[] words) =>
        Case.Refused(sentence, source, s => s.PostAsync(Widgets.Definitions, make(new Definition(s, "things"))), 422, "Invalid", words);

    public static bool Is(Answer definition, string condition) => definition.At("status", "conditions") is JsonArray conditions
        && conditions.Any(c => (string?)c!["type"] == condition && (string?)c["status"] == "True");
}
