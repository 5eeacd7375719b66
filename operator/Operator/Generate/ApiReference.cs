using System.Globalization;
using System.Text;
using k8s.Models;

namespace Graft.Operator.Generate;

/// <summary>
/// docs/api-reference.md: every field of every kind with its type, bounds, default and rules, from the same schema that the
/// server enforces.
/// </summary>
internal static class ApiReference
{
    public static string Write(IEnumerable<V1CustomResourceDefinition> definitions)
    {
        var text = new StringBuilder();
        text.Append("# API reference\n\nGenerated from the C# records by `make generate`; do not edit.\n");
        foreach (var definition in definitions) WriteKind(text, definition);
        return text.ToString();
    }

    private static void WriteKind(StringBuilder text, V1CustomResourceDefinition definition)
    {
        var version = definition.Spec.Versions[0];
        var schema = version.Schema.OpenAPIV3Schema;
        text.Append(CultureInfo.InvariantCulture, $"\n## {definition.Spec.Names.Kind}\n\n{schema.Description}\n\n");
        var names = string.Join("`, `", definition.Spec.Names.ShortNames);
        text.Append(CultureInfo.InvariantCulture, $"`apiVersion: {definition.Spec.Group}/{version.Name}`, short name `{names}`\n");
        foreach (var part in new[] { "spec", "status" })
        {
            text.Append(CultureInfo.InvariantCulture, $"\n### {part}\n\n| field | type | |\n|---|---|---|\n");
            if (!schema.Properties.TryGetValue(part, out var root)) continue;
            WriteFields(text, "", root);
            WriteRules(text, root);
        }
    }

    private static void WriteFields(StringBuilder text, string prefix, V1JSONSchemaProps parent)
    {
        foreach (var (name, schema) in parent.Properties ?? new Dictionary<string, V1JSONSchemaProps>())
        {
            var path = prefix.Length == 0 ? name : $"{prefix}.{name}";
            var required = parent.Required?.Contains(name) == true ? "**required.** " : "";
            text.Append(CultureInfo.InvariantCulture, $"| `{path}` | {TypeOf(schema)} | {required}{Cell(schema)} |\n");
            // The parts of a condition are Kubernetes' own, the same everywhere.
            if (name == "conditions") continue;
            WriteFields(text, path, schema);
            if (schema.Items is V1JSONSchemaProps { Type: "object" } item) WriteFields(text, path + "[]", item);
        }
    }

    private static void WriteRules(StringBuilder text, V1JSONSchemaProps root)
    {
        if (root.XKubernetesValidations is not { Count: > 0 } rules) return;
        text.Append("\nRules:\n\n");
        foreach (var rule in rules) text.Append(CultureInfo.InvariantCulture, $"- {rule.Message ?? rule.Rule}\n");
    }

    private static string TypeOf(V1JSONSchemaProps schema) => schema switch
    {
        { Type: "array", Items: V1JSONSchemaProps item } => $"list of {TypeOf(item)}",
        { AdditionalProperties: V1JSONSchemaProps value } => $"map of {TypeOf(value)}",
        { EnumProperty: { Count: > 0 } values } => string.Join(", ", values.Select(v => $"`{v}`")),
        _ => schema.Type ?? "any",
    };

    private static string Cell(V1JSONSchemaProps schema)
    {
        var parts = new List<string>();
        if (!string.IsNullOrEmpty(schema.Description)) parts.Add(schema.Description);
        if (schema.DefaultProperty is { } value) parts.Add($"Default: `{System.Text.Json.JsonSerializer.Serialize(value)}`.");
        if (Bounds(schema) is { Length: > 0 } bounds) parts.Add(bounds + ".");
        parts.AddRange((schema.XKubernetesValidations ?? []).Select(r => $"Rule: {r.Message ?? r.Rule}."));
        return string.Join(' ', parts).Replace("|", "\\|", StringComparison.Ordinal);
    }

    private static string Bounds(V1JSONSchemaProps schema)
    {
        var bounds = new List<string>();
        if (schema.Minimum is { } min) bounds.Add($"{(schema.ExclusiveMinimum == true ? "more than" : "at least")} {Number(min)}");
        if (schema.Maximum is { } max) bounds.Add($"{(schema.ExclusiveMaximum == true ? "less than" : "at most")} {Number(max)}");
        if (schema.MinItems is { } minItems and > 0) bounds.Add($"at least {minItems} items");
        if (schema.MaxItems is { } maxItems) bounds.Add($"at most {maxItems} items");
        if (schema.MaxLength is { } length) bounds.Add($"at most {length} characters");
        return bounds.Count == 0 ? "" : char.ToUpperInvariant(bounds[0][0]) + string.Join(", ", bounds)[1..];
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
