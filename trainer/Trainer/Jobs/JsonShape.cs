using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Graft.Trainer.Jobs;

/// <summary>
/// Compares a JSON document with the shape that a source-generated contract gives it. The deserializer stops at the first
/// misspelt or missing field; this walk names them all, each with its whole path.
/// </summary>
internal static class JsonShape
{
    public static void Check(JsonElement value, JsonTypeInfo type, string path, JobErrors errors)
    {
        switch (type.Kind)
        {
            case JsonTypeInfoKind.Object when value.ValueKind == JsonValueKind.Object:
                CheckObject(value, type, path, errors);
                break;
            case JsonTypeInfoKind.Enumerable when value.ValueKind == JsonValueKind.Array:
                var index = 0;
                foreach (var item in value.EnumerateArray()) CheckElement(item, type, $"{path}[{index++}]", errors);
                break;
            case JsonTypeInfoKind.Dictionary when value.ValueKind == JsonValueKind.Object:
                foreach (var member in value.EnumerateObject()) CheckElement(member.Value, type, $"{path}[\"{member.Name}\"]", errors);
                break;
            case JsonTypeInfoKind.Object or JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary
                when value.ValueKind != JsonValueKind.Null:
                errors.Add(path,
                    $"is {Word(value.ValueKind)}; must be {(type.Kind == JsonTypeInfoKind.Enumerable ? "a list" : "an object")}");
                break;
            case JsonTypeInfoKind.None:
                CheckScalar(value, type, path, errors);
                break;
        }
    }

    /// <summary>Of a list or a map; the contract has none that hold nothings.</summary>
    private static void CheckElement(JsonElement value, JsonTypeInfo of, string path, JobErrors errors)
    {
        if (value.ValueKind == JsonValueKind.Null) errors.Add(path, "must not be null");
        else Check(value, of.Options.GetTypeInfo(of.ElementType!), path, errors);
    }

    private static void CheckObject(JsonElement value, JsonTypeInfo type, string path, JobErrors errors)
    {
        var known = type.Properties.ToDictionary(p => p.Name, StringComparer.Ordinal);
        foreach (var member in value.EnumerateObject())
        {
            var at = path.Length == 0 ? member.Name : $"{path}.{member.Name}";
            if (known.TryGetValue(member.Name, out var property))
            {
                if (member.Value.ValueKind == JsonValueKind.Null && !property.IsSetNullable) errors.Add(at, "must not be null");
                else Check(member.Value, type.Options.GetTypeInfo(property.PropertyType), at, errors);
            }
            else
            {
                errors.Add(at, $"unknown field; the fields here are {string.Join(", ", known.Keys)}");
            }
        }
        foreach (var property in type.Properties.Where(p => p.IsRequired && !value.TryGetProperty(p.Name, out _)))
            errors.Add(path.Length == 0 ? property.Name : $"{path}.{property.Name}", "is missing");
    }

    private static void CheckScalar(JsonElement value, JsonTypeInfo type, string path, JobErrors errors)
    {
        var scalar = Nullable.GetUnderlyingType(type.Type) ?? type.Type;
        if (value.ValueKind == JsonValueKind.Null) return;
        if (scalar.IsEnum)
        {
            if (value.ValueKind != JsonValueKind.String || !Enum.GetNames(scalar).Contains(value.GetString(), StringComparer.Ordinal))
                errors.Add(path, $"is {value.GetRawText()}; must be one of {string.Join(", ", Enum.GetNames(scalar))}");
            return;
        }
        try
        {
            value.Deserialize(type);
        }
        catch (JsonException)
        {
            errors.Add(path, $"is {value.GetRawText()}; must be {Wanted(scalar)}");
        }
    }

    private static string Wanted(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.String => "a text",
        TypeCode.Boolean => "true or false",
        TypeCode.Int32 or TypeCode.Int64 => "a whole number",
        TypeCode.Double => "a number",
        _ => "a " + type.Name,
    };

    private static string Word(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        _ => "a truth value",
    };
}
