using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Patching;

/// <summary>
/// Strategic merge patch of the built-in kinds: like a merge patch, but lists with a merge key merge item by item, and directives
/// replace, delete, and order. The rules are those of Kubernetes' page "Update API Objects in Place Using kubectl patch".
/// </summary>
internal static class StrategicMergePatch
{
    private const string Directive = "$patch";
    private const string RetainKeys = "$retainKeys";
    private const string DeleteFromList = "$deleteFromPrimitiveList/";
    private const string SetOrder = "$setElementOrder/";

    /// <summary>The patched copy; neither argument is changed.</summary>
    /// <param name="target">The stored object.</param>
    /// <param name="patch">The patch.</param>
    /// <param name="schema">The schema that carries merge keys and strategies.</param>
    /// <exception cref="PatchException">422: an unknown directive, an item without its merge key, an order that contradicts the items.</exception>
    public static JsonObject Apply(JsonObject target, JsonObject patch, TypeSchema schema) => MergeObject(target, patch, schema, isRoot: true);

    private static JsonObject MergeObject(JsonObject target, JsonObject patch, TypeSchema? schema, bool isRoot = false)
    {
        switch (DirectiveOf(patch))
        {
            case "replace":
                return (JsonObject)WithoutDirectives(patch)!;
            case "delete":
                return [];
        }
        var result = (JsonObject)target.DeepClone();
        KeepOnlyRetained(result, patch);
        foreach (var (name, value) in patch)
        {
            if (name is Directive or RetainKeys || name.StartsWith(SetOrder, StringComparison.Ordinal))
            {
                continue;
            }
            if (name.StartsWith(DeleteFromList, StringComparison.Ordinal))
            {
                DeleteScalars(result, name[DeleteFromList.Length..], value);
                continue;
            }
            var member = isRoot && name == "metadata" ? ObjectMetadataSchema.Instance : schema?.Member(name);
            MergeMember(result, name, value, patch[SetOrder + name] as JsonArray, member);
        }
        OrderUnpatchedLists(result, patch, schema, isRoot);
        return result;
    }

    private static void MergeMember(JsonObject result, string name, JsonNode? value, JsonArray? order, TypeSchema? schema)
    {
        result.TryGetPropertyValue(name, out var old);
        var replaces = schema?.PatchStrategies.Contains("replace") == true;
        switch (value)
        {
            case null:
                result.Remove(name);
                break;
            case JsonObject changes when old is JsonObject existing && !replaces:
                result[name] = MergeObject(existing, changes, schema);
                break;
            case JsonArray items when old is JsonArray existing && schema?.PatchStrategies.Contains("merge") == true:
                result[name] = ListMerge.Merge(existing, items, order, schema, MergeObject);
                break;
            case JsonArray items when schema?.PatchStrategies.Contains("merge") == true:
                result[name] = ListMerge.Merge([], items, order, schema, MergeObject);
                break;
            case JsonObject changes when DirectiveOf(changes) == "delete":
                result.Remove(name);
                break;
            default:
                result[name] = WithoutDirectives(value);
                break;
        }
    }

    /// <summary>An order may come for a list of which no item changes.</summary>
    private static void OrderUnpatchedLists(JsonObject result, JsonObject patch, TypeSchema? schema, bool isRoot)
    {
        foreach (var (name, value) in patch)
        {
            if (!name.StartsWith(SetOrder, StringComparison.Ordinal) || value is not JsonArray order)
            {
                continue;
            }
            var field = name[SetOrder.Length..];
            if (!patch.ContainsKey(field) && result[field] is JsonArray list)
            {
                var member = isRoot && field == "metadata" ? ObjectMetadataSchema.Instance : schema?.Member(field);
                result[field] = ListMerge.Order((JsonArray)list.DeepClone(), order, list, member?.PatchMergeKey);
            }
        }
    }

    private static void KeepOnlyRetained(JsonObject result, JsonObject patch)
    {
        if (!patch.TryGetPropertyValue(RetainKeys, out var list))
        {
            return;
        }
        if (list is not JsonArray keys || keys.Any(k => JsonEquality.KindOf(k) != JsonValueKind.String))
        {
            throw PatchException.Unprocessable("invalid patch format of retainKeys list");
        }
        var retained = keys.Select(k => k!.GetValue<string>()).ToHashSet(StringComparer.Ordinal);
        if (patch.Any(m => !m.Key.StartsWith('$') && m.Value is not null && !retained.Contains(m.Key)))
        {
            throw PatchException.Unprocessable("invalid patch format of retainKeys list");
        }
        foreach (var name in result.Select(m => m.Key).Where(name => !retained.Contains(name)).ToList())
        {
            result.Remove(name);
        }
    }

    private static void DeleteScalars(JsonObject result, string name, JsonNode? list)
    {
        if (list is not JsonArray values)
        {
            throw PatchException.Unprocessable("invalid patch format of primitive list");
        }
        if (result[name] is JsonArray existing)
        {
            result[name] = new JsonArray(existing
                .Where(item => !values.Any(v => JsonEquality.Same(v, item)))
                .Select(item => item?.DeepClone()).ToArray());
        }
    }

    /// <summary>The value of <c>$patch</c>, or "merge".</summary>
    internal static string DirectiveOf(JsonObject patch)
    {
        if (!patch.TryGetPropertyValue(Directive, out var node))
        {
            return "merge";
        }
        var directive = JsonEquality.KindOf(node) == JsonValueKind.String ? node!.GetValue<string>() : null;
        return directive is "replace" or "delete" or "merge"
            ? directive
            : throw PatchException.Unprocessable($"unknown patch type: {GoText.Of(node)} in map: {GoText.Json(patch)}");
    }

    /// <summary>A copy without directives and nulls, for what the target does not have yet.</summary>
    internal static JsonNode? WithoutDirectives(JsonNode? value)
    {
        switch (value)
        {
            case JsonObject o:
                var copy = new JsonObject();
                foreach (var (name, member) in o)
                {
                    if (!name.StartsWith('$') && member is not null && !(member is JsonObject m && DirectiveOf(m) == "delete"))
                    {
                        copy[name] = WithoutDirectives(member);
                    }
                }
                return copy;
            case JsonArray a:
                return new JsonArray(a
                    .Where(item => item is not JsonObject o || (DirectiveOf(o) != "delete" && (DirectiveOf(o) == "merge" || o.Count > 1)))
                    .Select(WithoutDirectives).ToArray());
            default:
                return value?.DeepClone();
        }
    }
}
