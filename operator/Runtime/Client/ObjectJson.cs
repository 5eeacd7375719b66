using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace Graft.Runtime;

/// <summary>
/// JSON of Kubernetes objects, typed (KubernetesClient's models and custom resources) or raw (<see cref="JsonObject"/>), so that the
/// verbs of the client are written once. A typed object that came from a list gets the kind that the server left out.
/// </summary>
public static class ObjectJson
{
    public static T Read<T>(ReadOnlyMemory<byte> utf8) where T : class
    {
        using var document = JsonDocument.Parse(utf8);
        return Read<T>(document.RootElement);
    }

    public static T Read<T>(JsonElement element) where T : class
    {
        if (typeof(T) == typeof(JsonObject))
            return (T)(object)(JsonObject.Create(element.Clone()) ?? throw new JsonException("The object is null."));
        var value = KubernetesJson.Deserialize<T>(element) ?? throw new JsonException("The object is null.");
        if (value is IKubernetesObject { Kind: null or "" } named)
        {
            var kind = ResourceKind.Of(typeof(T));
            (named.ApiVersion, named.Kind) = (kind.ApiVersion, kind.Kind);
        }

        return value;
    }

    /// <summary>The object as a fresh JSON tree, with apiVersion and kind.</summary>
    public static JsonObject ToJson(object value)
    {
        if (value is JsonObject raw)
            return (JsonObject)raw.DeepClone();
        var json = (JsonObject)JsonNode.Parse(KubernetesJson.Serialize(value))!;
        if (value is IKubernetesObject && json["kind"] is null)
        {
            var kind = ResourceKind.Of(value.GetType());
            json["apiVersion"] = kind.ApiVersion;
            json["kind"] = kind.Kind;
        }

        return json;
    }

    /// <summary>Any part of an object (a spec, a status) as JSON; null stays null.</summary>
    public static JsonNode? ToNode(object? value) => value is null ? null : JsonNode.Parse(KubernetesJson.Serialize(value));

    public static T Clone<T>(T value) where T : class => value is JsonObject raw
        ? (T)(object)raw.DeepClone()
        : KubernetesJson.Deserialize<T>(KubernetesJson.Serialize(value));

    internal static byte[] Write(object value) => JsonSerializer.SerializeToUtf8Bytes(ToJson(value));

    internal static ObjectKey KeyOf(object value) => value is JsonObject raw
        ? new ObjectKey((string?)raw["metadata"]?["namespace"] ?? "", (string?)raw["metadata"]?["name"] ?? "")
        : value is IMetadata<V1ObjectMeta> { Metadata: { } meta } ? new ObjectKey(meta.NamespaceProperty ?? "", meta.Name ?? "")
        : throw new ArgumentException($"{value.GetType().Name} has no metadata.", nameof(value));

    internal static ObjectKey KeyOf(JsonElement value) => value.ValueKind == JsonValueKind.Object && value.TryGetProperty("metadata", out var meta)
        ? new ObjectKey(Text(meta, "namespace"), Text(meta, "name"))
        : default;

    internal static string? ResourceVersionOf(object value) => value is JsonObject raw
        ? (string?)raw["metadata"]?["resourceVersion"]
        : (value as IMetadata<V1ObjectMeta>)?.Metadata?.ResourceVersion;

    private static string Text(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : "";
}
