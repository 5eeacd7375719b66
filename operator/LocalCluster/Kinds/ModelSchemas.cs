using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;
using k8s.Models;

namespace Graft.LocalCluster.Kinds;

/// <summary>
/// Schemas of the built-in kinds, read from the models of KubernetesClient, which are generated from the real OpenAPI document. What the
/// models do not carry, the types and keys of lists, comes from <see cref="ListTopology"/>. Descriptions and most required fields are not
/// in the models; the latter are checked by <see cref="KindRules.Validate"/>.
/// </summary>
internal sealed class ModelSchemas
{
    private readonly Dictionary<Type, Model> _models = [];

    private sealed record Model(JsonObject OpenApi, TypeSchema Type);

    /// <summary>All definitions by name, as <c>components.schemas</c> of an OpenAPI document.</summary>
    public IEnumerable<KeyValuePair<string, JsonObject>> Definitions =>
        _models.Select(pair => KeyValuePair.Create(NameOf(pair.Key), pair.Value.OpenApi)).OrderBy(pair => pair.Key, StringComparer.Ordinal);

    public KindSchema Of(Type model)
    {
        var made = Define(model);
        return new KindSchema(NameOf(model), made.OpenApi, made.Type);
    }

    public static string RefTo(string name) => "#/components/schemas/" + name;

    /// <summary>V1PodSpec is io.k8s.v1.PodSpec: the last part is what <c>kubectl explain</c> shows as the type.</summary>
    public static string NameOf(Type model)
    {
        var name = model.Name;
        foreach (var prefix in (ReadOnlySpan<string>)["V1", "Corev1", "Storagev1", "Discoveryv1", "Rbacv1"])
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal) && name.Length > prefix.Length && char.IsUpper(name[prefix.Length]))
                return $"io.k8s.{prefix.ToLowerInvariant()}.{name[prefix.Length..]}";
        }
        return "io.k8s." + name;
    }

    private Model Define(Type model)
    {
        if (_models.TryGetValue(model, out var made))
            return made;
        var openApi = new JsonObject { ["type"] = "object" };
        var members = new Dictionary<string, TypeSchema>(StringComparer.Ordinal);
        var required = new List<string>();
        var type = new TypeSchema
        {
            Type = "object", Properties = members, Required = required, MapType = ListTopology.MapTypeOf(model.Name),
        };
        // Known before its members are, because a schema may contain itself.
        _models.Add(model, new Model(openApi, type));
        var properties = new JsonObject();
        foreach (var property in model.GetProperties())
        {
            if (property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name is not { } name)
                continue;
            var field = ListTopology.Annotate(model.Name, name, SchemaOf(property.PropertyType));
            properties[name] = ToOpenApi(property.PropertyType, field);
            members[name] = field;
            if (property.PropertyType.IsPrimitive)
                required.Add(name);
        }
        if (properties.Count > 0)
            openApi["properties"] = properties;
        if (required.Count > 0)
            openApi["required"] = required.ToJsonArray();
        if (type.MapType is not null)
            openApi["x-kubernetes-map-type"] = type.MapType;
        return _models[model];
    }

    private TypeSchema SchemaOf(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (Scalar(type) is { } scalar)
            return scalar;
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IList<>))
            return new TypeSchema { Type = "array", Nullable = true, Items = SchemaOf(type.GetGenericArguments()[0]) };
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IDictionary<,>))
            return new TypeSchema { Type = "object", Nullable = true, AdditionalProperties = SchemaOf(type.GetGenericArguments()[1]) };
        // Of all models only this one is written as the bare map that it holds.
        if (type == typeof(object) || type.Namespace != typeof(V1Pod).Namespace)
            return TypeSchema.Anything;
        return Define(type).Type;
    }

    private static TypeSchema? Scalar(Type type) => type switch
    {
        _ when type == typeof(string) => new TypeSchema { Type = "string" },
        _ when type == typeof(bool) => new TypeSchema { Type = "boolean" },
        _ when type == typeof(int) => new TypeSchema { Type = "integer", Format = "int32" },
        _ when type == typeof(long) => new TypeSchema { Type = "integer", Format = "int64" },
        _ when type == typeof(double) => new TypeSchema { Type = "number", Format = "double" },
        _ when type == typeof(DateTime) => new TypeSchema { Type = "string", Format = "date-time", Nullable = true },
        _ when type == typeof(byte[]) => new TypeSchema { Type = "string", Format = "byte" },
        _ when type == typeof(IntOrString) || type == typeof(ResourceQuantity) => new TypeSchema { IntOrString = true },
        _ => null,
    };

    private static JsonObject ToOpenApi(Type type, TypeSchema schema)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        var json = new JsonObject();
        if (type.Namespace == typeof(V1Pod).Namespace && Scalar(type) is null)
        {
            json["allOf"] = new JsonArray(new JsonObject { ["$ref"] = RefTo(NameOf(type)) });
            json["default"] = new JsonObject();
            return json;
        }
        if (schema.Type is not null)
            json["type"] = schema.Type;
        // An empty schema would be right for anything, but kubectl explain takes it for none.
        if (schema is { PreserveUnknownFields: true, Type: null })
            (json["type"], json["x-kubernetes-preserve-unknown-fields"]) = ("object", true);
        if (schema.Format is not null)
            json["format"] = schema.Format;
        if (schema.IntOrString)
            json["oneOf"] = new JsonArray(new JsonObject { ["type"] = "string" }, new JsonObject { ["type"] = "number" });
        if (schema.HasDefault)
            json["default"] = schema.Default?.DeepClone();
        if (schema.Items is not null)
            json["items"] = ToOpenApi(type.GetGenericArguments()[0], schema.Items);
        if (schema.AdditionalProperties is not null)
            json["additionalProperties"] = ToOpenApi(type.GetGenericArguments()[1], schema.AdditionalProperties);
        if (schema.ListType is not null)
            json["x-kubernetes-list-type"] = schema.ListType;
        if (schema.ListMapKeys.Count > 0)
            json["x-kubernetes-list-map-keys"] = schema.ListMapKeys.ToJsonArray();
        if (schema.MapType is not null)
            json["x-kubernetes-map-type"] = schema.MapType;
        if (schema.PatchMergeKey is not null)
            json["x-kubernetes-patch-merge-key"] = schema.PatchMergeKey;
        if (schema.PatchStrategies.Count > 0)
            json["x-kubernetes-patch-strategy"] = string.Join(",", schema.PatchStrategies);
        return json;
    }
}
