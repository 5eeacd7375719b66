using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Schema;

/// <summary>Defaults must be what the schema itself accepts: pruned, and valid.</summary>
internal static class DefaultRules
{
    public static void Check(TypeSchema schema, string path, List<FieldError> errors)
    {
        if (schema.HasDefault)
        {
            CheckOne(schema, $"{path}.default", errors);
        }
        foreach (var (name, property) in schema.Properties)
        {
            Check(property, $"{path}.properties[{name}]", errors);
        }
        if (schema.Items is { } items)
        {
            Check(items, $"{path}.items", errors);
        }
        if (schema.AdditionalProperties is { } values)
        {
            Check(values, $"{path}.additionalProperties", errors);
        }
    }

    private static void CheckOne(TypeSchema schema, string path, List<FieldError> errors)
    {
        if (schema.Default is null && !schema.Nullable)
        {
            errors.Add(FieldError.Invalid(path, null, "must not be null, unless nullable is true"));
            return;
        }
        // The default stands in a member, so that one way of pruning and validating serves every type of value.
        var holder = new TypeSchema { Type = "object", Properties = new Dictionary<string, TypeSchema> { ["default"] = schema } };
        var value = new JsonObject { ["default"] = schema.Default?.DeepClone() };
        if (Pruning.Apply(value, holder).Count > 0)
        {
            errors.Add(FieldError.Invalid(path, schema.Default!.DeepClone(), "must not have unknown fields"));
            return;
        }
        Defaulting.Apply(value, holder);
        foreach (var error in SchemaValidator.Validate(value, null, holder))
        {
            var field = path[..^"default".Length] + error.Field;
            var detail = error.Detail.Replace(error.Field + " in body", field + " in body", StringComparison.Ordinal);
            errors.Add(error with { Field = field, Detail = detail });
        }
    }
}
