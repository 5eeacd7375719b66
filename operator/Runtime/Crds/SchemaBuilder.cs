using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;

namespace Graft.Runtime;

/// <summary>
/// A structural OpenAPI v3 schema of a C# type. `required`, [Required] and parameters of a record without default make a field
/// required, everything else is optional; names are camelCase; properties stand in the order of their names.
/// </summary>
internal sealed class SchemaBuilder(SchemaOptions options)
{
    private readonly NullabilityInfoContext _nullability = new();
    private readonly Stack<Type> _within = new();

    public List<string> Problems { get; } = [];

    /// <summary>Columns that [AdditionalPrinterColumn] asks for, in the order of the fields' paths.</summary>
    public List<V1CustomResourceColumnDefinition> Columns { get; } = [];

    /// <summary>The schema of an entity: its envelope, spec, status and whatever else its class declares.</summary>
    public V1JSONSchemaProps Entity(Type type)
    {
        var schema = new V1JSONSchemaProps
        {
            Type = "object",
            Description = type.GetCustomAttribute<DescriptionAttribute>()?.Description,
            Properties = new SortedDictionary<string, V1JSONSchemaProps>(StringComparer.Ordinal)
            {
                ["apiVersion"] = new() { Type = "string" },
                ["kind"] = new() { Type = "string" },
                ["metadata"] = new() { Type = "object" },
            },
            XKubernetesValidations = Rules(type),
        };
        foreach (var property in SchemaTypes.Properties(type).Where(p => !schema.Properties.ContainsKey(SchemaTypes.NameOf(p))))
            schema.Properties[SchemaTypes.NameOf(property)] = Property(property, $".{SchemaTypes.NameOf(property)}");
        if (schema.Properties.ContainsKey("spec"))
            schema.Required = ["spec"];
        return schema;
    }

    private V1JSONSchemaProps Property(PropertyInfo property, string path)
    {
        var schema = OfType(property.PropertyType, property, path);
        schema.Description = property.GetCustomAttribute<DescriptionAttribute>()?.Description ?? schema.Description;
        schema.Title = property.GetCustomAttribute<TitleAttribute>()?.Title;
        if (Rules(property) is { } rules)
            schema.XKubernetesValidations = [.. rules, .. schema.XKubernetesValidations ?? []];
        if (property.GetCustomAttribute<DefaultValueAttribute>() is { } value)
            schema.DefaultProperty = Default(value, path);
        if (property.GetCustomAttribute<AdditionalPrinterColumnAttribute>() is { } column)
            AddColumn(column, schema, path);
        return schema;
    }

    /// <param name="from">Where the attributes stand; those about single values also hold for the items of a list or map.</param>
    private V1JSONSchemaProps OfType(Type type, MemberInfo from, string path)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (from.GetCustomAttribute<PreserveUnknownFieldsAttribute>() is not null || type.GetCustomAttribute<PreserveUnknownFieldsAttribute>() is not null)
            return new V1JSONSchemaProps
            {
                Type = "object", XKubernetesPreserveUnknownFields = true,
                XKubernetesEmbeddedResource = from.GetCustomAttribute<EmbeddedResourceAttribute>() is null ? null : true,
            };
        if (SchemaTypes.Scalar(type) is { } scalar)
            return SchemaLimits.Apply(scalar, from, options, path, Problems);
        if (SchemaTypes.ValueOfMap(type, path, Problems) is { } value)
            return SchemaLimits.ApplyMap(new V1JSONSchemaProps { Type = "object", AdditionalProperties = OfType(value, from, $"{path}.*") }, from, options);
        if (SchemaTypes.ItemOfList(type) is { } item)
            return SchemaLimits.ApplyList(
                new V1JSONSchemaProps { Type = "array", Items = OfType(item, from, $"{path}[]") }, item, from, options, path, Problems);
        if (type == typeof(object) || typeof(JsonNode).IsAssignableFrom(type) || type == typeof(JsonElement) || type.IsInterface || typeof(IEnumerable).IsAssignableFrom(type))
        {
            Problems.Add($"{path}: {type.Name} has no schema; use a record, or say [PreserveUnknownFields]");
            return new V1JSONSchemaProps { Type = "object" };
        }

        if (_within.Contains(type))
        {
            Problems.Add($"{path}: the type {type.Name} contains itself, which a structural schema cannot say");
            return new V1JSONSchemaProps { Type = "object" };
        }

        _within.Push(type);
        var schema = Object(type, from, path);
        _within.Pop();
        return schema;
    }

    private V1JSONSchemaProps Object(Type type, MemberInfo from, string path)
    {
        var schema = new V1JSONSchemaProps
        {
            Type = "object",
            Description = type.GetCustomAttribute<DescriptionAttribute>()?.Description,
            Properties = new SortedDictionary<string, V1JSONSchemaProps>(StringComparer.Ordinal),
            XKubernetesValidations = Rules(type),
            XKubernetesMapType = (from.GetCustomAttribute<XMapTypeAttribute>() ?? type.GetCustomAttribute<XMapTypeAttribute>())
                ?.Type.ToString().ToLowerInvariant(),
        };
        foreach (var property in SchemaTypes.Properties(type))
            schema.Properties[SchemaTypes.NameOf(property)] = Property(property, $"{path}.{SchemaTypes.NameOf(property)}");
        var required = SchemaTypes.Properties(type).Where(p => SchemaTypes.IsRequired(p, _nullability)).Select(SchemaTypes.NameOf).ToArray();
        if (required.Length > 0)
            schema.Required = required;
        if ((from.GetCustomAttribute<PropertyLimitsAttribute>() ?? type.GetCustomAttribute<PropertyLimitsAttribute>()) is { } limits)
        {
            schema.MinProperties = limits.MinProperties >= 0 ? limits.MinProperties : null;
            schema.MaxProperties = limits.MaxProperties >= 0 ? limits.MaxProperties : null;
        }

        return schema;
    }

    private object? Default(DefaultValueAttribute attribute, string path)
    {
        if (attribute.Json is null)
            return attribute.Value is Enum name ? name.ToString() : attribute.Value;
        try
        {
            return PlainJson.Parse(attribute.Json);
        }
        catch (JsonException e)
        {
            Problems.Add($"{path}: the default '{attribute.Json}' is no JSON: {e.Message}");
            return null;
        }
    }

    private void AddColumn(AdditionalPrinterColumnAttribute column, V1JSONSchemaProps schema, string path)
    {
        if (path.Contains("[]", StringComparison.Ordinal) || path.Contains(".*", StringComparison.Ordinal))
        {
            Problems.Add($"{path}: a printer column cannot show a field of list or map items");
            return;
        }

        var name = path.Split('.')[^1];
        Columns.Add(new V1CustomResourceColumnDefinition
        {
            Name = column.Name ?? $"{char.ToUpperInvariant(name[0])}{name[1..]}",
            JsonPath = path,
            Type = schema.Format == "date-time" ? "date" : schema.Type is "integer" or "number" or "boolean" ? schema.Type : "string",
            Priority = (int)column.Priority,
            Description = schema.Description,
        });
    }

    private static List<V1ValidationRule>? Rules(MemberInfo member)
    {
        var rules = member.GetCustomAttributes<ValidationRuleAttribute>(false).Select(r => new V1ValidationRule
        {
            Rule = r.Rule, FieldPath = r.FieldPath, Message = r.Message, MessageExpression = r.MessageExpression, Reason = r.Reason,
            OptionalOldSelf = r.OptionalOldSelf ? true : null,
        }).ToList();
        return rules.Count > 0 ? rules : null;
    }
}
