using System.Globalization;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api;

/// <summary>
/// What a namespace that ends says of its content: pkg/controller/namespace/deletion/status_condition_utils.go of Kubernetes, whose
/// reasons and messages these are.
/// </summary>
internal static class NamespaceConditions
{
    private static readonly (string Type, string Reason, string Message)[] AllWell =
    [
        ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
        ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
        ("NamespaceDeletionContentFailure", "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
        ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
        ("NamespaceFinalizersRemaining", "ContentRemoved", "All content successfully removed"),
    ];

    /// <summary>Sets the five conditions; one that stays as it is keeps its time.</summary>
    /// <param name="ns">The namespace, which is changed.</param>
    /// <param name="left">What is left: of which resource, and with which finalizers.</param>
    /// <param name="now">The time of a change.</param>
    public static void Set(
        JsonObject ns, IReadOnlyList<(GroupResource Resource, IReadOnlyList<string> Finalizers)> left, DateTimeOffset now)
    {
        var before = (ns.At("status", "conditions") as JsonArray ?? []).OfType<JsonObject>().ToList();
        ns.Child("status")["conditions"] = new JsonArray([.. AllWell.Select(JsonNode (well) => Condition(well, left, before, now))]);
    }

    private static JsonObject Condition(
        (string Type, string Reason, string Message) well, IReadOnlyList<(GroupResource Resource, IReadOnlyList<string> Finalizers)> left,
        List<JsonObject> before, DateTimeOffset now)
    {
        var (remains, reason, message) = well.Type switch
        {
            "NamespaceContentRemaining" => Remaining(
                left.Select(one => one.Resource), "SomeResourcesRemain", "Some resources are remaining: ",
                (resource, count) => $"{resource.Resource}.{resource.Group} has {count} resource instances"),
            "NamespaceFinalizersRemaining" => Remaining(
                left.SelectMany(one => one.Finalizers), "SomeFinalizersRemain", "Some content in the namespace has finalizers remaining: ",
                (finalizer, count) => $"{finalizer} in {count} resource instances"),
            _ => (false, "", ""),
        };
        var condition = new JsonObject
        {
            ["lastTransitionTime"] = now.ToTimestamp(),
            ["message"] = remains ? message : well.Message,
            ["reason"] = remains ? reason : well.Reason,
            ["status"] = remains ? "True" : "False",
            ["type"] = well.Type,
        };
        var last = before.Find(one => one["type"].AsString() == well.Type);
        if (last is not null && last["status"].AsString() == condition["status"].AsString())
            condition["lastTransitionTime"] = last["lastTransitionTime"]?.DeepClone();
        return condition;
    }

    private static (bool Remains, string Reason, string Message) Remaining<T>(
        IEnumerable<T> left, string reason, string beginning, Func<T, string, string> say)
        where T : notnull
    {
        var lines = left.GroupBy(one => one)
            .Select(group => say(group.Key, group.Count().ToString(CultureInfo.InvariantCulture))).Order(StringComparer.Ordinal).ToList();
        return (lines.Count > 0, reason, beginning + string.Join(", ", lines));
    }
}
