using System.Reflection;
using k8s.Models;

namespace Graft.Runtime;

/// <summary>Limits that attributes state, and the default bounds where they state none.</summary>
internal static class SchemaLimits
{
    public static V1JSONSchemaProps Apply(V1JSONSchemaProps schema, MemberInfo from, SchemaOptions options, string path, List<string> problems)
    {
        if (from.GetCustomAttribute<FormatAttribute>() is { } format)
            schema.Format = format.Format;
        if (from.GetCustomAttribute<EnumValuesAttribute>() is { } values)
            schema.EnumProperty = [.. values.Values];
        if (schema.Type == "string")
            ApplyText(schema, from, options);
        else if (schema.Type is "integer" or "number")
            ApplyNumber(schema, from);
        if (schema.Type is not "string" && !(schema.XKubernetesIntOrString ?? false)
            && (from.IsDefined(typeof(PatternAttribute)) || from.IsDefined(typeof(LengthAttribute)) || from.IsDefined(typeof(DurationAttribute))))
            problems.Add($"{path}: [Pattern], [Length] and [Duration] hold for strings, not for {schema.Type}");
        return schema;
    }

    public static V1JSONSchemaProps ApplyMap(V1JSONSchemaProps schema, MemberInfo from, SchemaOptions options)
    {
        var limits = from.GetCustomAttribute<PropertyLimitsAttribute>();
        schema.MinProperties = limits is { MinProperties: >= 0 } ? limits.MinProperties : null;
        schema.MaxProperties = limits is { MaxProperties: >= 0 } ? limits.MaxProperties : options.MaxProperties;
        schema.XKubernetesMapType = from.GetCustomAttribute<XMapTypeAttribute>()?.Type.ToString().ToLowerInvariant();
        return schema;
    }

    public static V1JSONSchemaProps ApplyList(
        V1JSONSchemaProps schema, Type item, MemberInfo from, SchemaOptions options, string path, List<string> problems)
    {
        var limits = from.GetCustomAttribute<ItemsAttribute>();
        schema.MinItems = limits is { MinItems: >= 0 } ? limits.MinItems : null;
        schema.MaxItems = limits is { MaxItems: >= 0 } ? limits.MaxItems : options.MaxItems;
        var type = from.GetCustomAttribute<XListTypeAttribute>()?.Type ?? (item == typeof(V1Condition) ? ListType.Map : ListType.Atomic);
        schema.XKubernetesListType = type.ToString().ToLowerInvariant();
        if (type != ListType.Map)
            return schema;
        schema.XKubernetesListMapKeys = [.. from.GetCustomAttribute<XListMapKeysAttribute>()?.Keys ?? (item == typeof(V1Condition) ? ["type"] : [])];
        var items = (V1JSONSchemaProps)schema.Items;
        if (schema.XKubernetesListMapKeys.Count == 0)
            problems.Add($"{path}: a list of type map needs [XListMapKeys]");
        foreach (var key in schema.XKubernetesListMapKeys)
            if (items.Properties is null || !items.Properties.TryGetValue(key, out var field)
                || (items.Required?.Contains(key) != true && field.DefaultProperty is null))
                problems.Add($"{path}: the map key '{key}' must be a field of the items that is required or has a default");
        return schema;
    }

    private static void ApplyText(V1JSONSchemaProps schema, MemberInfo from, SchemaOptions options)
    {
        if (from.GetCustomAttribute<PatternAttribute>() is { } pattern)
            schema.Pattern = pattern.Pattern;
        if (from.IsDefined(typeof(DurationAttribute)))
            (schema.Pattern, schema.MaxLength) = (GepDuration.Pattern, 32);
        var length = from.GetCustomAttribute<LengthAttribute>();
        schema.MinLength = length is { MinLength: >= 0 } ? length.MinLength : null;
        if (length is { MaxLength: >= 0 })
            schema.MaxLength = length.MaxLength;
        else if (schema.MaxLength is null && schema.EnumProperty is null && schema.Format is null)
            schema.MaxLength = options.MaxLength;
    }

    private static void ApplyNumber(V1JSONSchemaProps schema, MemberInfo from)
    {
        if (from.GetCustomAttribute<RangeMinimumAttribute>() is { } minimum)
            (schema.Minimum, schema.ExclusiveMinimum) = (minimum.Minimum, minimum.ExclusiveMinimum ? true : null);
        if (from.GetCustomAttribute<RangeMaximumAttribute>() is { } maximum)
            (schema.Maximum, schema.ExclusiveMaximum) = (maximum.Maximum, maximum.ExclusiveMaximum ? true : null);
        schema.MultipleOf = from.GetCustomAttribute<MultipleOfAttribute>()?.Value;
    }
}
