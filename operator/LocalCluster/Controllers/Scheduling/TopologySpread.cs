using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>
/// Constraints that pods of one kind be spread (pkg/scheduler/framework/plugins/podtopologyspread/filtering.go): those that are
/// demanded. ScheduleAnyway does not move anything here.
/// </summary>
internal static class TopologySpread
{
    public static Refusal? Filter(V1Pod pod, NodeState node, ClusterSnapshot snapshot)
    {
        var constraints = (pod.Spec.TopologySpreadConstraints ?? []).Where(c => c.WhenUnsatisfiable == "DoNotSchedule").ToList();
        foreach (var constraint in constraints)
        {
            if (node.Label(constraint.TopologyKey) is not { } domain)
                return new Refusal(["node(s) didn't match pod topology spread constraints (missing required label)"], IsFinal: true);
            var counts = Domains(pod, constraint, constraints, snapshot);
            var least = counts.Count < (constraint.MinDomains ?? 1) ? 0 : counts.Count == 0 ? 0 : counts.Values.Min();
            var self = LabelSelectors.Matches(constraint.LabelSelector, pod.Metadata.Labels) ? 1 : 0;
            if (counts.GetValueOrDefault(domain) + self - least > constraint.MaxSkew)
                return new Refusal(["node(s) didn't match pod topology spread constraints"], IsFinal: false);
        }
        return null;
    }

    /// <summary>Pods that count, for each domain that has an eligible node.</summary>
    private static Dictionary<string, int> Domains(
        V1Pod pod, V1TopologySpreadConstraint constraint, List<V1TopologySpreadConstraint> all, ClusterSnapshot snapshot)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var node in snapshot.Nodes.Where(n => all.All(c => n.Label(c.TopologyKey) is not null)))
        {
            if ((constraint.NodeAffinityPolicy ?? "Honor") == "Honor" && !NodeSelection.Matches(pod.Spec, node.Node)) continue;
            if (constraint.NodeTaintsPolicy == "Honor" && Taints.Untolerated(pod.Spec, node.Node, "NoSchedule", "NoExecute") is not null) continue;
            var domain = node.Label(constraint.TopologyKey)!;
            counts[domain] = counts.GetValueOrDefault(domain) + node.Pods.Count(p => p.Metadata.NamespaceProperty == pod.Metadata.NamespaceProperty
                && !Controllers.Pods.IsDeleting(p) && LabelSelectors.Matches(Selector(pod, constraint), p.Metadata.Labels));
        }
        return counts;
    }

    private static V1LabelSelector? Selector(V1Pod pod, V1TopologySpreadConstraint constraint)
    {
        if (constraint.MatchLabelKeys is not { Count: > 0 } keys || constraint.LabelSelector is not { } selector) return constraint.LabelSelector;
        var labels = new Dictionary<string, string>(selector.MatchLabels ?? new Dictionary<string, string>());
        foreach (var key in keys)
        {
            if (pod.Metadata.Labels?.TryGetValue(key, out var value) == true) labels[key] = value;
        }
        return new V1LabelSelector { MatchLabels = labels, MatchExpressions = selector.MatchExpressions };
    }
}
