using System.Text.Json;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Schema;

/// <summary>Equality of JSON values: numbers by value (1 equals 1.0), objects without regard to the order of members.</summary>
internal sealed class JsonEquality : IEqualityComparer<JsonNode?>
{
    public static JsonEquality Comparer { get; } = new();

    public static bool Same(JsonNode? a, JsonNode? b)
    {
        if (ReferenceEquals(a, b))
        {
            return true;
        }
        var kind = KindOf(a);
        if (kind != KindOf(b))
        {
            return false;
        }
        return kind switch
        {
            JsonValueKind.Null or JsonValueKind.True or JsonValueKind.False => true,
            JsonValueKind.String => a!.GetValue<string>() == b!.GetValue<string>(),
            JsonValueKind.Number => SameNumber(JsonNumber.Read(a!), JsonNumber.Read(b!)),
            JsonValueKind.Array => SameList(a!.AsArray(), b!.AsArray()),
            _ => SameObject(a!.AsObject(), b!.AsObject()),
        };
    }

    public bool Equals(JsonNode? x, JsonNode? y) => Same(x, y);

    public int GetHashCode(JsonNode? obj) => obj switch
    {
        null => 0,
        JsonObject o => o.Count * 31,
        JsonArray a => a.Count * 17,
        _ => KindOf(obj) switch
        {
            JsonValueKind.String => obj.GetValue<string>().GetHashCode(StringComparison.Ordinal),
            JsonValueKind.Number => JsonNumber.Read(obj).Value.GetHashCode(),
            var kind => (int)kind,
        },
    };

    /// <summary>The kind of a node, with the absent node counted as null.</summary>
    public static JsonValueKind KindOf(JsonNode? node) => node?.GetValueKind() ?? JsonValueKind.Null;

    private static bool SameNumber(JsonNumber a, JsonNumber b) =>
        a.IsInteger && b.IsInteger ? a.Integer == b.Integer : a.Value.Equals(b.Value);

    private static bool SameList(JsonArray a, JsonArray b)
    {
        if (a.Count != b.Count)
        {
            return false;
        }
        for (var i = 0; i < a.Count; i++)
        {
            if (!Same(a[i], b[i]))
            {
                return false;
            }
        }
        return true;
    }

    private static bool SameObject(JsonObject a, JsonObject b)
    {
        if (a.Count != b.Count)
        {
            return false;
        }
        foreach (var (key, value) in a)
        {
            if (!b.TryGetPropertyValue(key, out var other) || !Same(value, other))
            {
                return false;
            }
        }
        return true;
    }
}
