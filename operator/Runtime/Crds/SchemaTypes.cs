using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Graft.Runtime;

/// <summary>What C# types are in a schema.</summary>
internal static class SchemaTypes
{
    private const string QuantityPattern =
        @"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

    public static IEnumerable<PropertyInfo> Properties(Type type) => type
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(p => p.GetMethod is { IsPublic: true } && p.GetIndexParameters().Length == 0 && p.SetMethod is not null
            && p.GetCustomAttribute<IgnoreAttribute>() is null
            && p.GetCustomAttribute<JsonIgnoreAttribute>()?.Condition is not JsonIgnoreCondition.Always)
        .DistinctBy(NameOf)
        .OrderBy(NameOf, StringComparer.Ordinal);

    public static string NameOf(PropertyInfo property) =>
        property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(property.Name);

    public static bool IsRequired(PropertyInfo property, NullabilityInfoContext nullability)
    {
        if (property.GetCustomAttribute<DefaultValueAttribute>() is not null)
            return false;
        if (property.GetCustomAttribute<RequiredAttribute>() is not null || property.GetCustomAttribute<RequiredMemberAttribute>() is not null)
            return true;
        // The models of built-in kinds do not say which of their references are required, but a plain value is there always.
        if (property.DeclaringType!.Assembly == typeof(V1Pod).Assembly)
            return property.PropertyType.IsValueType && Nullable.GetUnderlyingType(property.PropertyType) is null;
        if (Parameter(property) is not { HasDefaultValue: false } || Nullable.GetUnderlyingType(property.PropertyType) is not null)
            return false;
        return property.PropertyType.IsValueType || nullability.Create(property).WriteState == NullabilityState.NotNull;
    }

    /// <summary>A fresh schema of a type that has no parts of its own kind, or null.</summary>
    public static V1JSONSchemaProps? Scalar(Type type)
    {
        if (type.IsEnum)
            return new V1JSONSchemaProps { Type = "string", EnumProperty = [.. EnumNames(type)] };
        if (type == typeof(V1ObjectMeta))
            return new V1JSONSchemaProps { Type = "object" };
        if (type == typeof(V1Condition))
            return Condition();
        if (type == typeof(ResourceQuantity))
            return IntOrString(QuantityPattern);
        if (type == typeof(IntOrString))
            return IntOrString(null);
        if (type == typeof(byte[]))
            return new V1JSONSchemaProps { Type = "string", Format = "byte" };
        if (type == typeof(DateTimeOffset))
            return new V1JSONSchemaProps { Type = "string", Format = "date-time" };
        return Type.GetTypeCode(type) switch
        {
            TypeCode.String => new V1JSONSchemaProps { Type = "string" },
            TypeCode.Boolean => new V1JSONSchemaProps { Type = "boolean" },
            TypeCode.Int32 => new V1JSONSchemaProps { Type = "integer", Format = "int32" },
            TypeCode.Int64 => new V1JSONSchemaProps { Type = "integer", Format = "int64" },
            TypeCode.Single => new V1JSONSchemaProps { Type = "number", Format = "float" },
            TypeCode.Double => new V1JSONSchemaProps { Type = "number", Format = "double" },
            TypeCode.Decimal => new V1JSONSchemaProps { Type = "number" },
            TypeCode.DateTime => new V1JSONSchemaProps { Type = "string", Format = "date-time" },
            _ => null,
        };
    }

    public static Type? ValueOfMap(Type type, string path, List<string> problems)
    {
        if (GenericOf(type, typeof(IDictionary<,>), typeof(IReadOnlyDictionary<,>)) is not { } map)
            return null;
        if (map.GenericTypeArguments[0] != typeof(string))
            problems.Add($"{path}: the keys of a map must be strings");
        return map.GenericTypeArguments[1];
    }

    public static Type? ItemOfList(Type type) => type.IsArray
        ? type.GetElementType()
        : GenericOf(type, typeof(IEnumerable<>)) is { } list ? list.GenericTypeArguments[0] : null;

    private static Type? GenericOf(Type type, params Type[] definitions) =>
        type.GetInterfaces().Prepend(type).FirstOrDefault(i => i.IsGenericType && definitions.Contains(i.GetGenericTypeDefinition()));

    private static IEnumerable<object> EnumNames(Type type) => type
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => f.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? f.Name);

    private static V1JSONSchemaProps IntOrString(string? pattern) => new()
    {
        AnyOf = [new V1JSONSchemaProps { Type = "integer" }, new V1JSONSchemaProps { Type = "string" }],
        Pattern = pattern,
        MaxLength = 64,
        XKubernetesIntOrString = true,
    };

    private static ParameterInfo? Parameter(PropertyInfo property) => property.DeclaringType!
        .GetConstructors()
        .SelectMany(c => c.GetParameters())
        .FirstOrDefault(p => p.Name == property.Name && p.ParameterType == property.PropertyType);

    /// <summary>metav1.Condition with the limits that Kubernetes itself gives it.</summary>
    private static V1JSONSchemaProps Condition() => new()
    {
        Type = "object",
        Description = "One aspect of the current state of the object.",
        Required = ["lastTransitionTime", "message", "reason", "status", "type"],
        Properties = new SortedDictionary<string, V1JSONSchemaProps>(StringComparer.Ordinal)
        {
            ["lastTransitionTime"] = new() { Type = "string", Format = "date-time", Description = "When the status last changed." },
            ["message"] = new() { Type = "string", MaxLength = 32768, Description = "Details, for people." },
            ["observedGeneration"] = new()
            {
                Type = "integer", Format = "int64", Minimum = 0, Description = "The metadata.generation that the condition was concluded from.",
            },
            ["reason"] = new()
            {
                Type = "string", MinLength = 1, MaxLength = 1024, Pattern = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
                Description = "Why the status is what it is, as one CamelCase word, for programs.",
            },
            ["status"] = new() { Type = "string", EnumProperty = ["True", "False", "Unknown"], Description = "True, False or Unknown." },
            ["type"] = new()
            {
                Type = "string", MaxLength = 316, Description = "The aspect.",
                Pattern = @"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
            },
        },
    };
}
