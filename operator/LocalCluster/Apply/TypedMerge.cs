using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Apply;

/// <summary>Merges an applied configuration into a live object: maps by member, associative lists by item, all else replaced.</summary>
internal static class TypedMerge
{
    /// <summary>The merged copy.</summary>
    /// <exception cref="ListItemException">An item of a list has no identity.</exception>
    public static JsonNode? Merge(JsonNode? live, JsonNode? applied, TypeSchema schema)
    {
        if (TypedFields.IsGranularMap(live, schema) && TypedFields.IsGranularMap(applied, schema))
        {
            var map = (JsonObject)live!.DeepClone();
            foreach (var (name, value) in applied!.AsObject())
            {
                map[name] = map.TryGetPropertyValue(name, out var old)
                    ? Merge(old, value, TypedFields.MemberOf(schema, name))
                    : value?.DeepClone();
            }
            return map;
        }
        if (applied is null && (TypedFields.IsGranularMap(live, schema) || TypedFields.IsAssociativeList(live, schema)))
        {
            // Null adds nothing to what has parts of its own.
            return live!.DeepClone();
        }
        return TypedFields.IsAssociativeList(applied, schema) && live is null or JsonArray
            ? MergeList(live as JsonArray ?? [], applied!.AsArray(), schema)
            : applied?.DeepClone();
    }

    /// <summary>Looks through an applied configuration for items that stand twice.</summary>
    /// <exception cref="ListItemException">There is one.</exception>
    public static void RefuseDuplicates(JsonNode? applied, TypeSchema schema)
    {
        if (TypedFields.IsGranularMap(applied, schema))
        {
            foreach (var (name, value) in applied!.AsObject())
            {
                RefuseDuplicates(value, TypedFields.MemberOf(schema, name));
            }
        }
        else if (TypedFields.IsAssociativeList(applied, schema))
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            var items = applied!.AsArray();
            for (var i = 0; i < items.Count; i++)
            {
                var key = PathElement.Item(items[i], i, schema);
                if (!seen.Add(key))
                {
                    throw new ListItemException(i, $"duplicate entries for key {PathElement.Text(key)}");
                }
                RefuseDuplicates(items[i], TypedFields.ItemOf(schema));
            }
        }
    }

    /// <summary>Items of both sides stand in the applied order, the others keep their place before the item that followed them.</summary>
    private static JsonArray MergeList(JsonArray live, JsonArray applied, TypeSchema schema)
    {
        var left = live.Select((item, i) => (Key: PathElement.Item(item, i, schema), Item: item)).ToList();
        var right = applied.Select((item, i) => (Key: PathElement.Item(item, i, schema), Item: item)).ToList();
        var appliedKeys = right.Select(p => p.Key).ToHashSet(StringComparer.Ordinal);
        var result = new JsonArray();
        var done = new HashSet<string>(StringComparer.Ordinal);
        var (l, r) = (0, 0);
        while (l < left.Count || r < right.Count)
        {
            if (l < left.Count && !appliedKeys.Contains(left[l].Key))
            {
                result.Add(left[l++].Item?.DeepClone());
            }
            else if (l < left.Count && (r >= right.Count || done.Contains(left[l].Key)))
            {
                l++;
            }
            else
            {
                var (key, item) = right[r++];
                var old = left.FirstOrDefault(p => p.Key == key).Item;
                done.Add(key);
                result.Add(old is null ? item?.DeepClone() : Merge(old, item, TypedFields.ItemOf(schema)));
            }
        }
        return result;
    }
}
