using System.Globalization;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Cel;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;
using k8s.Models;

namespace Graft.LocalCluster.Kinds;

/// <summary>Makes kinds of a CustomResourceDefinition that <see cref="DefinitionRules"/> accepted: one for each served version.</summary>
internal static class CustomKinds
{
    public static IEnumerable<ResourceKind> From(JsonObject definition, ModelSchemas schemas)
    {
        foreach (var version in definition.At("spec", "versions").Objects())
        {
            if (version["served"].AsBool())
                yield return From(definition.Child("spec"), version, schemas) with { DefinitionUid = definition.Uid() };
        }
    }

    private static ResourceKind From(JsonObject spec, JsonObject version, ModelSchemas schemas)
    {
        var names = spec.Child("names");
        var kind = names["kind"].AsString() ?? "";
        return new ResourceKind
        {
            Group = spec["group"].AsString() ?? "",
            Version = version["name"].AsString() ?? "",
            Kind = kind,
            Plural = names["plural"].AsString() ?? "",
            Singular = names["singular"].AsString() ?? "",
            ListKind = names["listKind"].AsString() ?? "",
            ShortNames = names["shortNames"].Strings(),
            Categories = names["categories"].Strings(),
            Namespaced = spec["scope"].AsString() == "Namespaced",
            HasStatus = version.At("subresources", "status") is not null,
            Scale = ScaleOf(version.At("subresources", "scale")),
            Columns = ColumnsOf(version["additionalPrinterColumns"]),
            SelectableFields = SelectableOf(version["selectableFields"]),
            Schema = SchemaOf(spec["group"].AsString() ?? "", kind, version, schemas),
            CountsGenerations = true,
            Deprecation = DeprecationOf(spec, version),
            AllowsUnconditionalUpdate = false,
            StorageVersion = spec["versions"].Objects().FirstOrDefault(v => v["storage"].AsBool())?["name"].AsString() ?? "",
        };
    }

    /// <summary>The definition's own text, or Kubernetes' (apiextensions-apiserver, customresource_handler.go).</summary>
    private static string DeprecationOf(JsonObject spec, JsonObject version) => !version["deprecated"].AsBool()
        ? ""
        : version["deprecationWarning"].AsString() ?? $"{spec["group"].AsString()}/{version["name"].AsString()} {spec.At("names", "kind").AsString()} is deprecated";

    private static KindSchema SchemaOf(string group, string kind, JsonObject version, ModelSchemas schemas)
    {
        var source = (JsonObject)version.At("schema", "openAPIV3Schema")!;
        var type = StructuralSchema.Parse(source, "", out _)
            ?? throw new InvalidOperationException($"The accepted schema of {kind} is not structural");
        var rules = CelRules.Compile(type, "", out _)
            ?? throw new InvalidOperationException($"The accepted rules of {kind} do not compile");
        var openApi = (JsonObject)source.DeepClone();
        var properties = openApi.Child("properties");
        properties["apiVersion"] = new JsonObject { ["type"] = "string", ["description"] = "The version in which the object is written." };
        properties["kind"] = new JsonObject { ["type"] = "string", ["description"] = "The kind of the object." };
        properties["metadata"] = new JsonObject
        {
            ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = ModelSchemas.RefTo(schemas.Of(typeof(V1ObjectMeta)).Name) }),
            ["description"] = "Name, labels and the rest of what every object has.",
        };
        var name = string.Join('.', group.Split('.').Reverse().Append(version["name"].AsString()).Append(kind));
        return new KindSchema(name, openApi, type, rules);
    }

    private static ScalePaths? ScaleOf(JsonNode? scale) => scale is null
        ? null
        : new ScalePaths(
            JsonPath.Members(scale["specReplicasPath"].AsString() ?? ""),
            JsonPath.Members(scale["statusReplicasPath"].AsString() ?? ""),
            scale["labelSelectorPath"].AsString() is { Length: > 0 } path ? JsonPath.Members(path) : null);

    private static IReadOnlyList<PrinterColumn> ColumnsOf(JsonNode? columns) => columns is not JsonArray { Count: > 0 }
        ? PrinterColumns.NameAndAge
        : [PrinterColumns.Name, .. columns.Objects().Select(ColumnOf)];

    private static PrinterColumn ColumnOf(JsonObject column)
    {
        var path = JsonPath.Parse(column["jsonPath"].AsString() ?? "");
        var type = column["type"].AsString() ?? "string";
        return new PrinterColumn(
            column["name"].AsString() ?? "",
            type,
            (obj, time) => Cell(path.Select(obj), type, time),
            (int)(column["priority"].AsLong() ?? 0),
            column["format"].AsString() ?? "",
            column["description"].AsString() ?? "");
    }

    /// <summary>Several results are shown separated by commas; a value of another type than the column's is left out.</summary>
    private static JsonNode? Cell(IReadOnlyList<JsonNode> found, string type, TimeProvider time)
    {
        if (found.Count == 0)
            return null;
        return type switch
        {
            "date" => HumanDuration.Since(found[0], time),
            "integer" => found[0].AsLong(),
            "number" => double.TryParse(found[0].ToJsonString(), CultureInfo.InvariantCulture, out var number) ? number : null,
            "boolean" => found[0] is JsonValue flag && flag.TryGetValue<bool>(out var set) ? set : null,
            _ => string.Join(",", found.Select(value => value.AsText())),
        };
    }

    private static Dictionary<string, Func<JsonObject, string>> SelectableOf(JsonNode? fields) => fields.Objects()
        .Select(field => JsonPath.Members(field["jsonPath"].AsString() ?? ""))
        .ToDictionary(
            path => string.Join('.', path),
            path => (Func<JsonObject, string>)(obj => obj.At([.. path]).AsText() ?? ""),
            StringComparer.Ordinal);
}
