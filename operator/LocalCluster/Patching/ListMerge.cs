using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Patching;

/// <summary>Merges lists in strategic merge patches: objects by their merge key, scalars as sets.</summary>
internal static class ListMerge
{
    /// <summary>Merges one item with the patch for it.</summary>
    public delegate JsonObject ItemMerge(JsonObject target, JsonObject patch, TypeSchema? schema, bool isRoot = false);

    /// <param name="target">The list as it stands.</param>
    /// <param name="patch">The items of the patch.</param>
    /// <param name="order">The list of <c>$setElementOrder</c>, or null.</param>
    /// <param name="schema">The schema of the list.</param>
    /// <param name="mergeItem">How two items with the same key merge.</param>
    public static JsonArray Merge(JsonArray target, JsonArray patch, JsonArray? order, TypeSchema schema, ItemMerge mergeItem)
    {
        if (schema.PatchMergeKey is not { } key)
        {
            var union = target.Concat(patch).Distinct(JsonEquality.Comparer).Select(item => item?.DeepClone()).ToArray();
            return Order(new JsonArray(union), order ?? patch, target, mergeKey: null);
        }
        var changes = patch.Select(item => item as JsonObject
            ?? throw PatchException.Unprocessable($"cannot merge {GoText.Json(item)} into a list of objects")).ToList();
        if (changes.Any(c => StrategicMergePatch.DirectiveOf(c) == "replace" && !c.ContainsKey(key)))
        {
            var kept = changes.Where(c => StrategicMergePatch.DirectiveOf(c) == "merge").Select(c => StrategicMergePatch.WithoutDirectives(c));
            return new JsonArray(kept.ToArray());
        }
        if (order is not null)
        {
            RefuseContradiction(changes, order, key);
        }
        var result = target.Select(item => item!.DeepClone()).ToList();
        foreach (var change in changes)
        {
            MergeItem(result, change, key, schema.Items, mergeItem);
        }
        return Order(new JsonArray(result.ToArray()), order ?? patch, target, key);
    }

    /// <summary>
    /// Orders items: those that <paramref name="wanted"/> names as it names them, the others kept in their old order, each before the
    /// first named item that it stood before.
    /// </summary>
    public static JsonArray Order(JsonArray items, JsonArray wanted, JsonArray old, string? mergeKey)
    {
        var all = items.ToList();
        items.Clear();
        int Position(JsonArray list, JsonNode? item)
        {
            for (var i = 0; i < list.Count; i++)
            {
                if (SameItem(list[i], item, mergeKey))
                {
                    return i;
                }
            }
            return -1;
        }
        var named = all.Where(i => Position(wanted, i) >= 0).OrderBy(i => Position(wanted, i)).ToList();
        var others = all.Where(i => Position(wanted, i) < 0).OrderBy(i => Position(old, i)).ToList();
        var (o, n) = (0, 0);
        while (o < others.Count || n < named.Count)
        {
            var takesOther = n >= named.Count;
            if (!takesOther && o < others.Count)
            {
                var (left, right) = (Position(old, others[o]), Position(old, named[n]));
                takesOther = left >= 0 && right >= 0 && left < right;
            }
            items.Add(takesOther ? others[o++] : named[n++]);
        }
        return items;
    }

    private static void MergeItem(List<JsonNode> result, JsonObject change, string key, TypeSchema? schema, ItemMerge mergeItem)
    {
        if (!change.TryGetPropertyValue(key, out var id))
        {
            throw PatchException.Unprocessable($"map: {GoText.Json(change)} does not contain declared merge key: {key}");
        }
        var index = result.FindIndex(item => item is JsonObject o && JsonEquality.Same(o[key], id));
        if (StrategicMergePatch.DirectiveOf(change) == "delete")
        {
            result.RemoveAll(item => item is JsonObject o && JsonEquality.Same(o[key], id));
        }
        else if (index >= 0)
        {
            result[index] = mergeItem((JsonObject)result[index], change, schema);
        }
        else
        {
            result.Add(StrategicMergePatch.WithoutDirectives(change)!);
        }
    }

    /// <summary>The items of a patch must stand in the order that it asks for, and be in it.</summary>
    private static void RefuseContradiction(List<JsonObject> changes, JsonArray order, string key)
    {
        var last = -1;
        foreach (var change in changes.Where(c => StrategicMergePatch.DirectiveOf(c) == "merge"))
        {
            var position = order.ToList().FindIndex(item => SameItem(item, change, key));
            if (position <= last)
            {
                var items = GoText.Json(new JsonArray(changes.Select(c => c.DeepClone()).ToArray()));
                throw PatchException.Unprocessable(
                    $"The order in patch list:\n{items}\n doesn't match $setElementOrder list:\n{GoText.Json(order)}\n");
            }
            last = position;
        }
    }

    private static bool SameItem(JsonNode? a, JsonNode? b, string? mergeKey) => mergeKey is null
        ? JsonEquality.Same(a, b)
        : a is JsonObject x && b is JsonObject y && JsonEquality.Same(x[mergeKey], y[mergeKey]);
}
