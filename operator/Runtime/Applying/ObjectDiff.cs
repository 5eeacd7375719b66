using System.Text.Json.Nodes;
using k8s.Models;

namespace Graft.Runtime;

/// <summary>Compares objects as JSON and names what differs.</summary>
public static class ObjectDiff
{
    /// <summary>Both are the same JSON; absent and null are the same.</summary>
    public static bool Same(JsonNode? a, JsonNode? b) => FirstDifference(a, b, exact: true) is null;

    /// <summary>
    /// The first field of desired that live does not have as desired, in words, or null. What only live has (defaults, status, what
    /// others added) does not count; lists must be equally long.
    /// </summary>
    public static string? FirstMissing(JsonNode? desired, JsonNode? live) => FirstDifference(desired, live, exact: false);

    /// <summary>The merge patch that makes one object of the other; null when they are the same.</summary>
    public static JsonObject? MergePatch(JsonObject from, JsonObject to)
    {
        var patch = new JsonObject();
        foreach (var (name, value) in to)
        {
            var old = from[name];
            if (value is JsonObject after && old is JsonObject before)
            {
                if (MergePatch(before, after) is { } inner)
                    patch[name] = inner;
            }
            else if (value is not null && !Same(old, value))
            {
                patch[name] = value.DeepClone();
            }
        }

        foreach (var (name, value) in from)
            if (value is not null && to[name] is null)
                patch[name] = null;
        return patch.Count == 0 ? null : patch;
    }

    private static string? FirstDifference(JsonNode? desired, JsonNode? live, bool exact, string path = "")
    {
        switch (desired, live)
        {
            case (JsonObject d, JsonObject l):
                foreach (var (name, value) in d)
                    if (value is not null && FirstDifference(value, l[name], exact, $"{path}.{name}") is { } inner)
                        return inner;
                return exact && l.FirstOrDefault(p => p.Value is not null && d[p.Key] is null) is { Key: { } extra } ? $"{path}.{extra} is not wanted" : null;
            case (JsonArray d, JsonArray l):
                if (d.Count != l.Count)
                    return $"{path} has {l.Count} items, not {d.Count}";
                for (var i = 0; i < d.Count; i++)
                    if (FirstDifference(d[i], l[i], exact, $"{path}[{i}]") is { } inner)
                        return inner;
                return null;
            case (not null, null) when !exact && IsZero(desired):
                return null;
            default:
                return JsonNode.DeepEquals(desired, live) || (!exact && SameQuantity(desired, live)) ? null : $"{path} is {Text(live)}, not {Text(desired)}";
        }
    }

    // The server leaves out of built-in objects what is empty, zero or false.
    private static bool IsZero(JsonNode node) => node switch
    {
        JsonObject o => o.Count == 0,
        JsonArray a => a.Count == 0,
        _ => node.ToJsonString() is "\"\"" or "0" or "false",
    };

    // The server keeps quantities in canonical form: 0.5 becomes 500m.
    private static bool SameQuantity(JsonNode? a, JsonNode? b)
    {
        if (a is not JsonValue || b is not JsonValue)
            return false;
        try
        {
            return new ResourceQuantity(a.ToString()) == new ResourceQuantity(b.ToString());
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException)
        {
            return false;
        }
    }

    private static string Text(JsonNode? node) => node?.ToJsonString() is { } text ? text.Length > 80 ? $"{text[..77]}..." : text : "absent";
}
