using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Schema;

/// <summary>What identifies the items of a <c>list-type: map</c>.</summary>
internal static class ListKeys
{
    /// <summary>The keys of an item with their defaults filled in, sorted by name, or null where the item has none.</summary>
    public static JsonObject? Of(JsonNode? item, TypeSchema list)
    {
        if (item is not JsonObject o)
        {
            return null;
        }
        var keys = new JsonObject();
        foreach (var name in list.EffectiveMapKeys.Order(StringComparer.Ordinal))
        {
            if (o.TryGetPropertyValue(name, out var value))
            {
                keys[name] = value?.DeepClone();
            }
            else if (list.Items?.Member(name) is { Default: { } byDefault })
            {
                keys[name] = byDefault.DeepClone();
            }
        }
        return keys.Count == 0 ? null : keys;
    }

    /// <summary>The item of <paramref name="list"/> with the same keys as <paramref name="item"/>.</summary>
    public static JsonNode? Find(JsonArray list, JsonNode? item, TypeSchema schema)
    {
        var keys = Of(item, schema);
        return keys is null ? null : list.FirstOrDefault(other => JsonEquality.Same(Of(other, schema), keys));
    }
}
