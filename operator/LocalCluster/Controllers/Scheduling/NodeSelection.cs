using System.Globalization;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>Node selectors and node affinity (k8s.io/component-helpers/scheduling/corev1/nodeaffinity).</summary>
internal static class NodeSelection
{
    /// <summary>Whether a node is one that the pod demands.</summary>
    public static bool Matches(V1PodSpec pod, V1Node node)
    {
        var labels = node.Metadata.Labels ?? new Dictionary<string, string>();
        if (pod.NodeSelector?.All(s => labels.TryGetValue(s.Key, out var value) && value == s.Value) == false) return false;
        return pod.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution is not { } required
            || required.NodeSelectorTerms.Any(term => Matches(term, node));
    }

    /// <summary>Sum of the weights of the preferences that a node fulfils.</summary>
    public static long Preference(V1PodSpec pod, V1Node node) =>
        (pod.Affinity?.NodeAffinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? [])
            .Where(p => Matches(p.Preference, node)).Sum(p => (long)p.Weight);

    /// <summary>All requirements of a term hold; an empty term matches nothing.</summary>
    public static bool Matches(V1NodeSelectorTerm term, V1Node node)
    {
        var (labels, fields) = (term.MatchExpressions ?? [], term.MatchFields ?? []);
        return labels.Count + fields.Count > 0
            && labels.All(r => Holds(r, node.Metadata.Labels?.TryGetValue(r.Key, out var value) == true ? value : null))
            && fields.All(r => Holds(r, r.Key == "metadata.name" ? node.Metadata.Name : null));
    }

    private static bool Holds(V1NodeSelectorRequirement requirement, string? value) => requirement.OperatorProperty switch
    {
        "In" => value is not null && requirement.Values.Contains(value),
        "NotIn" => value is null || !requirement.Values.Contains(value),
        "Exists" => value is not null,
        "DoesNotExist" => value is null,
        "Gt" => Whole(value) is { } n && Whole(requirement.Values.FirstOrDefault()) is { } limit && n > limit,
        "Lt" => Whole(value) is { } n && Whole(requirement.Values.FirstOrDefault()) is { } limit && n < limit,
        _ => false,
    };

    private static long? Whole(string? text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : null;
}
