using System.Text.Json.Nodes;

namespace Graft.Integration.Harness;

/// <summary>Reading objects as a person would: by paths.</summary>
internal static class Objects
{
    /// <summary>The value at a dotted path, or null.</summary>
    public static JsonNode? At(this JsonNode? node, string path)
    {
        foreach (var part in path.Split('.'))
        {
            node = node switch
            {
                JsonObject o => o[part],
                JsonArray a when int.TryParse(part, out var index) && index < a.Count => a[index],
                _ => null,
            };
        }
        return node;
    }

    public static string? Text(this JsonNode? node, string path) => node.At(path)?.ToString();

    public static JsonObject? Condition(this JsonNode? node, string type) =>
        node.At("status.conditions")?.AsArray().FirstOrDefault(c => c.Text("type") == type)?.AsObject();

    /// <summary>"True", "False", "Unknown", or null when the condition is not there.</summary>
    public static string? ConditionStatus(this JsonNode? node, string type) => node.Condition(type).Text("status");

    /// <summary>All conditions in one line, for a failure's message.</summary>
    public static string Conditions(this JsonNode? node) => string.Join("; ", node.At("status.conditions")?.AsArray()
        .Select(c => $"{c.Text("type")}={c.Text("status")} {c.Text("reason")}: {c.Text("message")}") ?? []);

    /// <summary>A copy with one value set (<paramref name="json"/>) or, with null, removed.</summary>
    public static JsonObject With(this JsonObject source, string path, string? json)
    {
        var copy = source.DeepClone().AsObject();
        JsonNode parent = copy;
        var parts = path.Split('.');
        foreach (var part in parts[..^1]) parent = parent[part] ??= new JsonObject();
        if (json is null) parent.AsObject().Remove(parts[^1]);
        else parent[parts[^1]] = JsonNode.Parse(json);
        return copy;
    }
}
