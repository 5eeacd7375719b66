using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Storage;

/// <summary>The fields that every Kubernetes object has, read from and written to its JSON. Absent and null read the same.</summary>
internal static class ObjectFields
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    public static string Name(this JsonObject obj) => obj.Meta("name") ?? "";

    public static string Namespace(this JsonObject obj) => obj.Meta("namespace") ?? "";

    public static string Uid(this JsonObject obj) => obj.Meta("uid") ?? "";

    public static string ResourceVersion(this JsonObject obj) => obj.Meta("resourceVersion") ?? "";

    public static bool IsDeleting(this JsonObject obj) => obj.Meta("deletionTimestamp") is not null;

    public static ObjectKey Key(this JsonObject obj) => new(obj.Namespace(), obj.Name());

    public static JsonObject Metadata(this JsonObject obj)
    {
        if (obj["metadata"] is JsonObject metadata)
            return metadata;
        metadata = [];
        obj["metadata"] = metadata;
        return metadata;
    }

    public static IReadOnlyList<string> Finalizers(this JsonObject obj) => Strings(obj.At("metadata", "finalizers"));

    public static long Generation(this JsonObject obj) => obj.At("metadata", "generation").AsLong() ?? 0;

    public static IReadOnlyDictionary<string, string> Labels(this JsonObject obj) => StringMap(obj.At("metadata", "labels"));

    /// <summary>The node at a path of member names, or null wherever the path ends early.</summary>
    public static JsonNode? At(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var member in path)
            node = (node as JsonObject)?[member];
        return node;
    }

    public static string? AsString(this JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    public static bool AsBool(this JsonNode? node) => node is JsonValue value && value.GetValueKind() == JsonValueKind.True;

    /// <summary>The number if it is a whole one, whatever CLR type holds it.</summary>
    public static long? AsLong(this JsonNode? node)
    {
        if (node is not JsonValue value || value.GetValueKind() != JsonValueKind.Number)
            return null;
        var text = value.ToJsonString();
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    /// <summary>A scalar as people would write it: strings bare, everything else as JSON.</summary>
    public static string? AsText(this JsonNode? node) => node is null ? null : node.AsString() ?? node.ToJsonString();

    public static IEnumerable<JsonObject> Objects(this JsonNode? node) => (node as JsonArray)?.OfType<JsonObject>() ?? [];

    public static IReadOnlyList<string> Strings(this JsonNode? node) =>
        node is JsonArray array ? [.. array.Select(item => item.AsString()).OfType<string>()] : [];

    public static IReadOnlyDictionary<string, string> StringMap(this JsonNode? node) =>
        node is JsonObject map
            ? map.Where(pair => pair.Value.AsString() is not null).ToDictionary(pair => pair.Key, pair => pair.Value.AsString()!)
            : new Dictionary<string, string>();

    /// <summary>The child object of that name, made if it is not there.</summary>
    public static JsonObject Child(this JsonObject obj, string name)
    {
        if (obj[name] is JsonObject child)
            return child;
        child = [];
        obj[name] = child;
        return child;
    }

    /// <summary>Sets a member that is absent or null; what is there stays.</summary>
    public static void SetDefault(this JsonObject obj, string name, JsonNode? value)
    {
        if (obj[name] is null)
            obj[name] = value;
    }

    public static JsonArray ToJsonArray(this IEnumerable<string> values) => new([.. values.Select(value => (JsonNode?)value)]);

    /// <summary>metav1.Time: seconds, UTC.</summary>
    public static string ToTimestamp(this DateTimeOffset time) => time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    public static DateTimeOffset? AsTime(this JsonNode? node) =>
        DateTimeOffset.TryParse(node.AsString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    private static string? Meta(this JsonObject obj, string field) => obj.At("metadata", field).AsString();
}
