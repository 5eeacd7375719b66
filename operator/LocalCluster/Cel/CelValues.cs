using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Cel;

/// <summary>A list; how its items are told apart decides what equality and addition mean.</summary>
internal sealed record CelList(IReadOnlyList<object?> Items, TypeSchema? Schema = null);

/// <summary>A map; lookup by key goes by CEL's equality of numbers.</summary>
internal sealed record CelMap(IReadOnlyList<KeyValuePair<object, object?>> Entries)
{
    public bool TryGet(object? key, out object? value)
    {
        foreach (var entry in Entries)
        {
            if (CelValues.Same(entry.Key, key))
            {
                value = entry.Value;
                return true;
            }
        }
        value = null;
        return false;
    }
}

/// <summary>An object with its schema; members become values when they are asked for.</summary>
internal sealed record CelObject(JsonObject Json, TypeSchema Schema);

/// <summary>A value that may be absent: <c>oldSelf</c> under optionalOldSelf.</summary>
internal sealed record CelOptional(bool HasValue, object? Value);

/// <summary>
/// The values of the evaluator: bool, long, ulong, double, string, byte[], DateTimeOffset, TimeSpan, null, and the records here.
/// </summary>
internal static class CelValues
{
    /// <summary>The value of a JSON node by its schema.</summary>
    public static object? Of(JsonNode? node, TypeSchema schema) => node switch
    {
        null => null,
        JsonObject o when schema.AdditionalProperties is { } values =>
            new CelMap(o.Select(m => KeyValuePair.Create<object, object?>(m.Key, Of(m.Value, values))).ToList()),
        JsonObject o => new CelObject(o, schema),
        JsonArray a => new CelList(a.Select(item => Of(item, schema.Items ?? TypeSchema.Anything)).ToList(), schema),
        _ => OfScalar(node, schema),
    };

    public static bool Same(object? a, object? b) => (a, b) switch
    {
        (null, null) => true,
        (null, _) or (_, null) => false,
        (string x, string y) => x == y,
        (bool x, bool y) => x == y,
        _ when IsNumber(a) && IsNumber(b) => Compare(a, b) == 0,
        (byte[] x, byte[] y) => x.AsSpan().SequenceEqual(y),
        (CelList x, CelList y) => SameLists(x, y),
        (CelMap x, CelMap y) => x.Entries.Count == y.Entries.Count
            && x.Entries.All(e => y.TryGet(e.Key, out var other) && Same(e.Value, other)),
        (CelObject x, CelObject y) => x.Json.Count == y.Json.Count && x.Json.All(m =>
            y.Json.TryGetPropertyValue(m.Key, out var other) && Same(MemberOf(x, m.Key, m.Value), MemberOf(y, m.Key, other))),
        (CelOptional x, CelOptional y) => x.HasValue == y.HasValue && Same(x.Value, y.Value),
        _ => a.Equals(b),
    };

    /// <summary>The order of two values of one kind, numbers of any kinds; null where there is none.</summary>
    public static int? Compare(object? a, object? b) => (a, b) switch
    {
        (long x, long y) => x.CompareTo(y),
        (ulong x, ulong y) => x.CompareTo(y),
        (long x, ulong y) => x < 0 ? -1 : ((ulong)x).CompareTo(y),
        (ulong x, long y) => y < 0 ? 1 : x.CompareTo((ulong)y),
        (double x, double y) => double.IsNaN(x) || double.IsNaN(y) ? null : x.CompareTo(y),
        (double x, long or ulong) => Compare(x, Convert.ToDouble(b, CultureInfo.InvariantCulture)),
        (long or ulong, double y) => Compare(Convert.ToDouble(a, CultureInfo.InvariantCulture), y),
        (string x, string y) => string.CompareOrdinal(x, y),
        (bool x, bool y) => x.CompareTo(y),
        (DateTimeOffset x, DateTimeOffset y) => x.CompareTo(y),
        (TimeSpan x, TimeSpan y) => x.CompareTo(y),
        (byte[] x, byte[] y) => x.AsSpan().SequenceCompareTo(y),
        _ => null,
    };

    public static bool IsNumber(object? value) => value is long or ulong or double;

    /// <summary>The item of <paramref name="list"/> that is the same item as <paramref name="item"/> by the list's keys.</summary>
    public static object? FindByKeys(CelList list, object? item) => list.Items.FirstOrDefault(other => SameKeys(list, item, other));

    /// <summary>Characters, bytes, items or entries.</summary>
    public static long Size(object? value) => value switch
    {
        string text => text.EnumerateRunes().Count(),
        byte[] bytes => bytes.Length,
        CelList list => list.Items.Count,
        CelMap map => map.Entries.Count,
        CelObject o => o.Json.Count,
        _ => 1,
    };

    private static object? MemberOf(CelObject o, string name, JsonNode? value) => Of(value, o.Schema.Member(name) ?? TypeSchema.Anything);

    private static bool SameLists(CelList a, CelList b)
    {
        if (a.Items.Count != b.Items.Count)
        {
            return false;
        }
        return (a.Schema ?? b.Schema)?.ListType switch
        {
            "set" => a.Items.All(item => b.Items.Any(other => Same(item, other))),
            "map" => a.Items.All(item => b.Items.Any(other => SameKeys(a.Schema is null ? b : a, item, other) && Same(item, other))),
            _ => a.Items.Zip(b.Items).All(pair => Same(pair.First, pair.Second)),
        };
    }

    private static bool SameKeys(CelList list, object? a, object? b) => list.Schema is { } schema && a is CelObject x && b is CelObject y
        && ListKeys.Of(x.Json, schema) is { } keys && JsonEquality.Same(keys, ListKeys.Of(y.Json, schema));

    private static object? OfScalar(JsonNode node, TypeSchema schema)
    {
        switch (node.GetValueKind())
        {
            case JsonValueKind.True:
                return true;
            case JsonValueKind.False:
                return false;
            case JsonValueKind.Number:
                var number = JsonNumber.Read(node);
                // Not one conditional expression: its type would be double, whichever branch is taken.
                if (schema.Type == "number" || !number.IsWhole) return number.Value;
                return number.IsInteger ? number.Integer : (long)number.Value;
            default:
                return OfText(node.GetValue<string>(), schema);
        }
    }

    private static object OfText(string text, TypeSchema schema)
    {
        switch (schema.Format)
        {
            case "byte":
                return Convert.FromBase64String(text);
            case "duration":
                return CelTime.ParseDuration(text) ?? throw new CelEvaluationException($"invalid duration: {text}");
            case "date" or "date-time":
                return CelTime.ParseTimestamp(text) ?? throw new CelEvaluationException($"invalid timestamp: {text}");
            default:
                return text;
        }
    }
}
