using System.Globalization;
using System.Text.Json.Nodes;

namespace Graft.Conformance.Harness;

internal static class Json
{
    public static JsonObject Object(string json) => JsonNode.Parse(json)!.AsObject();

    /// <summary>The node at a path of members and indexes, or null where the path ends early.</summary>
    public static JsonNode? At(JsonNode? node, IReadOnlyList<string> path)
    {
        foreach (var step in path)
        {
            node = node switch
            {
                JsonObject obj => obj[step],
                JsonArray array when int.TryParse(step, CultureInfo.InvariantCulture, out var i) && i < array.Count => array[i],
                _ => null,
            };
        }
        return node;
    }

    /// <summary>Sets a member at a path of members, all of which are there but the last.</summary>
    public static JsonObject With(this JsonObject obj, JsonNode? value, params IReadOnlyList<string> path)
    {
        JsonNode parent = obj;
        foreach (var step in path.SkipLast(1))
            parent = parent[step] ??= new JsonObject();
        parent[path[^1]] = value;
        return obj;
    }

    public static JsonObject Without(this JsonObject obj, params IReadOnlyList<string> path)
    {
        (At(obj, [.. path.SkipLast(1)]) as JsonObject)?.Remove(path[^1]);
        return obj;
    }
}
