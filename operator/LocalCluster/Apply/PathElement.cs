using System.Globalization;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Apply;

/// <summary>The elements of field paths in their FieldsV1 form.</summary>
internal static class PathElement
{
    private const string Ranks = "fkvi";

    /// <summary>Members first, then items by key, by value, by index; each in the order of their text.</summary>
    public static IComparer<string> Order { get; } = Comparer<string>.Create((a, b) =>
        Ranks.IndexOf(a[0], StringComparison.Ordinal) is var rank && Ranks.IndexOf(b[0], StringComparison.Ordinal) is var other && rank != other
            ? rank.CompareTo(other)
            : string.CompareOrdinal(a, b));

    public static string Field(string name) => "f:" + name;

    /// <summary>The element of an item of a list, by the list's type.</summary>
    /// <exception cref="ListItemException">The item has no identity: a missing key, or an object in a set of scalars.</exception>
    public static string Item(JsonNode? item, int index, TypeSchema list)
    {
        switch (list.EffectiveListType)
        {
            case "map":
                if (item is not JsonObject o)
                {
                    throw new ListItemException(index, "associative list with keys may not have non-map elements");
                }
                var keys = ListKeys.Of(o, list) ?? [];
                var missing = list.EffectiveMapKeys.FirstOrDefault(k => !keys.ContainsKey(k));
                return missing is null
                    ? "k:" + GoText.Json(keys)
                    : throw new ListItemException(
                        index,
                        $"associative list with keys has an element that omits key field {GoText.Quote(missing)}"
                        + " (and doesn't have default value)");
            case "set":
                return item is null or JsonObject or JsonArray
                    ? throw new ListItemException(index, "associative list without keys has an element that is no scalar")
                    : "v:" + GoText.Json(item);
            default:
                return string.Create(CultureInfo.InvariantCulture, $"i:{index}");
        }
    }

    /// <summary>The element with its JSON in canonical form, or null where it is none that is known.</summary>
    public static string? Normalize(string element)
    {
        if (element.Length < 2 || element[1] != ':')
        {
            return null;
        }
        try
        {
            return element[0] switch
            {
                'f' => element,
                'k' when StrictJson.Parse(element[2..]) is JsonObject keys => "k:" + GoText.Json(keys),
                'v' => "v:" + GoText.Json(StrictJson.Parse(element[2..])),
                'i' when int.TryParse(element[2..], NumberStyles.None, CultureInfo.InvariantCulture, out _) => element,
                _ => null,
            };
        }
        catch (JsonSyntaxException)
        {
            return null;
        }
    }

    /// <summary>The element as messages show it: <c>.name</c>, <c>[name="a"]</c>, <c>[="x"]</c>, <c>[3]</c>.</summary>
    public static string Text(string element)
    {
        var content = element[2..];
        return element[0] switch
        {
            'f' => "." + content,
            'k' => "[" + string.Join(",", ((JsonObject)StrictJson.Parse(content)!).Select(k => $"{k.Key}={GoText.Of(k.Value)}")) + "]",
            'v' => $"[={content}]",
            _ => $"[{content}]",
        };
    }
}

/// <summary>An item of a list that cannot be told from the others.</summary>
internal sealed class ListItemException(int index, string detail) : Exception(
    string.Create(CultureInfo.InvariantCulture, $"element {index}: {detail}"));
