using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Schema;

/// <summary>
/// Reads a CRD's <c>openAPIV3Schema</c> into a <see cref="TypeSchema"/>, and refuses what is not structural
/// (KEP "Vanilla OpenAPI subset: structural schemas").
/// </summary>
internal static class StructuralSchema
{
    /// <param name="schema">The value of <c>openAPIV3Schema</c>.</param>
    /// <param name="path">Its path for messages, for example <c>spec.versions[0].schema.openAPIV3Schema</c>.</param>
    /// <param name="errors">Everything that is wrong; the schema is null then.</param>
    public static TypeSchema? Parse(JsonObject schema, string path, out IReadOnlyList<FieldError> errors)
    {
        var reader = new SchemaReader();
        var type = reader.Read(schema, path);
        var found = new List<FieldError>(reader.Errors);
        if (found.Count == 0)
        {
            StructuralRules.CheckRoot(type, path, found);
            DefaultRules.Check(type, path, found);
        }
        errors = found.OrderBy(e => e.ToString(), StringComparer.Ordinal).ToList();
        return found.Count == 0 ? type : null;
    }

    /// <summary>Turns JSON into the model, and reports what the model has no place for.</summary>
    private sealed class SchemaReader
    {
        // OpenAPI has these, CRDs may not use them.
        private static readonly string[] Forbidden =
            ["definitions", "dependencies", "deprecated", "discriminator", "id", "patternProperties", "readOnly", "writeOnly", "xml", "$ref"];

        public List<FieldError> Errors { get; } = [];

        public TypeSchema Read(JsonObject json, string path)
        {
            foreach (var name in Forbidden.Where(json.ContainsKey))
            {
                Errors.Add(FieldError.Forbidden($"{path}.{name}", $"{name} is not supported"));
            }
            var type = Text(json, "type", path);
            if (type is not (null or "object" or "array" or "string" or "integer" or "number" or "boolean"))
            {
                Errors.Add(FieldError.NotSupported($"{path}.type", type, ["array", "boolean", "integer", "number", "object", "string"]));
            }
            if (Flag(json, "uniqueItems", path))
            {
                Errors.Add(FieldError.Forbidden(
                    $"{path}.uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));
            }
            if (Text(json, "pattern", path) is { } pattern && GoRegex.TryCompile(pattern, out var why) is null)
            {
                Errors.Add(FieldError.Invalid($"{path}.pattern", pattern, $"must be a valid regular expression, but isn't: {why}"));
            }
            var bounds = json["additionalProperties"];
            return ReadBounds(json, path) with
            {
                Type = type,
                Format = Text(json, "format", path),
                Title = Text(json, "title", path),
                Description = Text(json, "description", path),
                Nullable = Flag(json, "nullable", path),
                HasDefault = json.ContainsKey("default"),
                Default = json["default"]?.DeepClone(),
                Properties = ReadProperties(json, path),
                AdditionalProperties = bounds is JsonObject values ? Read(values, $"{path}.additionalProperties") : null,
                AllowsAdditionalProperties = JsonEquality.KindOf(bounds) == JsonValueKind.True,
                Items = ReadItems(json, path),
                Required = Texts(json, "required", path),
                Enum = json["enum"] is JsonArray permitted ? permitted.Select(p => p?.DeepClone()).ToList() : null,
                Pattern = Text(json, "pattern", path),
                AllOf = ReadList(json, "allOf", path),
                AnyOf = ReadList(json, "anyOf", path),
                OneOf = ReadList(json, "oneOf", path),
                Not = json["not"] is JsonObject not ? Read(not, $"{path}.not") : null,
                IntOrString = Flag(json, "x-kubernetes-int-or-string", path),
                PreserveUnknownFields = Flag(json, "x-kubernetes-preserve-unknown-fields", path),
                EmbeddedResource = Flag(json, "x-kubernetes-embedded-resource", path),
                ListType = Text(json, "x-kubernetes-list-type", path),
                ListMapKeys = Texts(json, "x-kubernetes-list-map-keys", path),
                MapType = Text(json, "x-kubernetes-map-type", path),
                Validations = ReadRules(json, path),
            };
        }

        private TypeSchema ReadBounds(JsonObject json, string path) => new()
        {
            Minimum = Number(json, "minimum", path),
            ExclusiveMinimum = Flag(json, "exclusiveMinimum", path),
            Maximum = Number(json, "maximum", path),
            ExclusiveMaximum = Flag(json, "exclusiveMaximum", path),
            MultipleOf = Number(json, "multipleOf", path),
            MinLength = (long?)Number(json, "minLength", path),
            MaxLength = (long?)Number(json, "maxLength", path),
            MinItems = (long?)Number(json, "minItems", path),
            MaxItems = (long?)Number(json, "maxItems", path),
            MinProperties = (long?)Number(json, "minProperties", path),
            MaxProperties = (long?)Number(json, "maxProperties", path),
        };

        private Dictionary<string, TypeSchema> ReadProperties(JsonObject json, string path)
        {
            var properties = new Dictionary<string, TypeSchema>(StringComparer.Ordinal);
            foreach (var (name, value) in json["properties"] as JsonObject ?? [])
            {
                var memberPath = $"{path}.properties[{name}]";
                if (value is JsonObject schema)
                {
                    properties[name] = Read(schema, memberPath);
                }
                else
                {
                    Errors.Add(FieldError.Invalid(memberPath, value?.DeepClone(), "must be an object"));
                }
            }
            return properties;
        }

        private TypeSchema? ReadItems(JsonObject json, string path)
        {
            switch (json["items"])
            {
                case JsonObject items:
                    return Read(items, $"{path}.items");
                case JsonArray:
                    Errors.Add(FieldError.Forbidden($"{path}.items", "items must be a schema object and not an array"));
                    return null;
                default:
                    return null;
            }
        }

        private List<TypeSchema> ReadList(JsonObject json, string name, string path) => (json[name] as JsonArray ?? [])
            .OfType<JsonObject>()
            .Select((part, i) => Read(part, string.Create(CultureInfo.InvariantCulture, $"{path}.{name}[{i}]")))
            .ToList();

        private List<ValidationRule> ReadRules(JsonObject json, string path)
        {
            var at = $"{path}.x-kubernetes-validations";
            return (json["x-kubernetes-validations"] as JsonArray ?? []).OfType<JsonObject>().Select(rule => new ValidationRule(
                Text(rule, "rule", at) ?? "",
                Text(rule, "message", at),
                Text(rule, "messageExpression", at),
                Text(rule, "reason", at),
                Text(rule, "fieldPath", at),
                rule.ContainsKey("optionalOldSelf") ? Flag(rule, "optionalOldSelf", at) : null)).ToList();
        }

        private List<string> Texts(JsonObject json, string name, string path) => (json[name] as JsonArray ?? [])
            .Select(item => Expect(item, JsonValueKind.String, $"{path}.{name}") ? item!.GetValue<string>() : "")
            .ToList();

        private string? Text(JsonObject json, string name, string path) =>
            json[name] is { } node && Expect(node, JsonValueKind.String, $"{path}.{name}") ? node.GetValue<string>() : null;

        private double? Number(JsonObject json, string name, string path) =>
            json[name] is { } node && Expect(node, JsonValueKind.Number, $"{path}.{name}") ? JsonNumber.Read(node).Value : null;

        private bool Flag(JsonObject json, string name, string path)
        {
            var kind = JsonEquality.KindOf(json[name]);
            if (kind is not (JsonValueKind.Null or JsonValueKind.True or JsonValueKind.False))
            {
                Errors.Add(FieldError.Invalid($"{path}.{name}", json[name]!.DeepClone(), "must be a boolean"));
            }
            return kind == JsonValueKind.True;
        }

        private bool Expect(JsonNode? node, JsonValueKind kind, string path)
        {
            if (JsonEquality.KindOf(node) == kind)
            {
                return true;
            }
            Errors.Add(FieldError.Invalid(path, node?.DeepClone(), kind == JsonValueKind.String ? "must be a string" : "must be a number"));
            return false;
        }
    }
}
