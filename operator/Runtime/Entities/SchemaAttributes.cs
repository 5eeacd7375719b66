namespace Graft.Runtime;

/// <summary>Text of the field or type in the schema, which `kubectl explain` prints.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class | AttributeTargets.Enum)]
public sealed class DescriptionAttribute(string description) : Attribute
{
    public string Description { get; } = description;
}

/// <summary>The field must be present. The `required` modifier says the same.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RequiredAttribute : Attribute;

/// <summary>The property is no part of the resource.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class IgnoreAttribute : Attribute;

/// <summary>Regular expression (RE2) that a string, or each string of a list, must match.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PatternAttribute(string pattern) : Attribute
{
    public string Pattern { get; } = pattern;
}

/// <summary>Bounds of a string's length in characters; on a list or map of strings, of each of them. -1 is no bound of its own.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class LengthAttribute(int minLength = -1, int maxLength = -1) : Attribute
{
    public int MinLength { get; } = minLength;

    public int MaxLength { get; } = maxLength;
}

/// <summary>Bounds of a list's number of items. -1 is no bound of its own.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ItemsAttribute(int minItems = -1, int maxItems = -1) : Attribute
{
    public int MinItems { get; } = minItems;

    public int MaxItems { get; } = maxItems;
}

/// <summary>Bounds of a map's number of entries; on an object, of how many members are set. -1 is no bound of its own.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
public sealed class PropertyLimitsAttribute(int minProperties = -1, int maxProperties = -1) : Attribute
{
    public int MinProperties { get; } = minProperties;

    public int MaxProperties { get; } = maxProperties;
}

[AttributeUsage(AttributeTargets.Property)]
public sealed class RangeMinimumAttribute(double minimum, bool exclusiveMinimum = false) : Attribute
{
    public double Minimum { get; } = minimum;

    public bool ExclusiveMinimum { get; } = exclusiveMinimum;
}

[AttributeUsage(AttributeTargets.Property)]
public sealed class RangeMaximumAttribute(double maximum, bool exclusiveMaximum = false) : Attribute
{
    public double Maximum { get; } = maximum;

    public bool ExclusiveMaximum { get; } = exclusiveMaximum;
}

[AttributeUsage(AttributeTargets.Property)]
public sealed class MultipleOfAttribute(double value) : Attribute
{
    public double Value { get; } = value;
}

/// <summary>The strings that a field may hold, for a field that is no C# enum.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class EnumValuesAttribute(params string[] values) : Attribute
{
    public IReadOnlyList<string> Values { get; } = values;
}

/// <summary>OpenAPI format, such as `date-time`.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class FormatAttribute(string format) : Attribute
{
    public string Format { get; } = format;
}

[AttributeUsage(AttributeTargets.Property)]
public sealed class TitleAttribute(string title) : Attribute
{
    public string Title { get; } = title;
}

/// <summary>A duration as GEP-2257 writes it (`1h30m`, `500ms`); read and written by <see cref="GepDuration"/>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DurationAttribute : Attribute;

/// <summary>What the API server fills in when the field is absent. A whole object or list is given as JSON text.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DefaultValueAttribute : Attribute
{
    public DefaultValueAttribute(object value) => Value = value;

    public DefaultValueAttribute() { }

    public object? Value { get; }

    /// <summary>JSON text, for instance <c>{"epochs": 3}</c>.</summary>
    public string? Json { get; init; }
}

public enum ListType
{
    Atomic,
    Set,
    Map,
}

public enum MapType
{
    Atomic,
    Granular,
}

/// <summary>How server-side apply merges the list. Without it a list is atomic.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class XListTypeAttribute(ListType type) : Attribute
{
    public ListType Type { get; } = type;
}

/// <summary>The fields that identify an item of a list of type map.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class XListMapKeysAttribute(params string[] keys) : Attribute
{
    public IReadOnlyList<string> Keys { get; } = keys;
}

[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
public sealed class XMapTypeAttribute(MapType type) : Attribute
{
    public MapType Type { get; } = type;
}

/// <summary>Unknown fields below are kept instead of pruned.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
public sealed class PreserveUnknownFieldsAttribute : Attribute;

[AttributeUsage(AttributeTargets.Property)]
public sealed class EmbeddedResourceAttribute : Attribute;

/// <summary>
/// A CEL rule (x-kubernetes-validations). On a class it holds for every field of that type, on a property for that field,
/// on the entity's class for the whole object.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class, AllowMultiple = true)]
public sealed class ValidationRuleAttribute(
    string rule, string? fieldPath = null, string? message = null, string? messageExpression = null, string? reason = null) : Attribute
{
    public string Rule { get; } = rule;

    public string? FieldPath { get; } = fieldPath;

    public string? Message { get; } = message;

    public string? MessageExpression { get; } = messageExpression;

    /// <summary>FieldValueInvalid (the default), FieldValueForbidden, FieldValueRequired or FieldValueDuplicate.</summary>
    public string? Reason { get; } = reason;

    public bool OptionalOldSelf { get; init; }
}
