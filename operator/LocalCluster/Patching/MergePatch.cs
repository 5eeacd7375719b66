using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Patching;

/// <summary>JSON merge patch, RFC 7386: objects merge member by member, null removes, anything else replaces.</summary>
internal static class MergePatch
{
    /// <summary>The patched copy; neither argument is changed.</summary>
    public static JsonNode? Apply(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes)
        {
            return patch?.DeepClone();
        }
        var result = target is JsonObject o ? (JsonObject)o.DeepClone() : [];
        foreach (var (name, value) in changes)
        {
            if (value is null)
            {
                result.Remove(name);
            }
            else
            {
                result[name] = Apply(result.TryGetPropertyValue(name, out var old) ? old : null, value);
            }
        }
        return result;
    }
}
