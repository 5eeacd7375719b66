using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>
/// How much each node that takes a pod suits it, with the weights of the default profile: TaintToleration 3, NodeAffinity 2,
/// NodeResourcesFit (LeastAllocated) 1, NodeResourcesBalancedAllocation 1.
/// </summary>
internal static class NodeScores
{
    private const decimal Best = 100;
    private static readonly string[] Compared = ["cpu", "memory"];

    /// <summary>The node with the most points; of equals the first.</summary>
    public static NodeState Choose(V1Pod pod, IReadOnlyList<NodeState> nodes)
    {
        var avoided = nodes.ToDictionary(n => n, n => (decimal)(n.Node.Spec?.Taints ?? []).Count(t => t.Effect == "PreferNoSchedule" && !Taints.Tolerates(pod.Spec, t)));
        var preferred = nodes.ToDictionary(n => n, n => (decimal)NodeSelection.Preference(pod.Spec, n.Node));
        var (mostAvoided, mostPreferred) = (avoided.Values.Max(), preferred.Values.Max());
        return nodes.MaxBy(n =>
            (3 * (mostAvoided == 0 ? Best : Best - (Best * avoided[n] / mostAvoided)))
            + (2 * (mostPreferred == 0 ? 0 : Best * preferred[n] / mostPreferred))
            + LeastAllocated(pod, n) + Balanced(pod, n))!;
    }

    private static decimal LeastAllocated(V1Pod pod, NodeState node) => Compared.Average(r => Best * (1 - Share(pod, node, r)));

    private static decimal Balanced(V1Pod pod, NodeState node)
    {
        var shares = Compared.Select(r => Share(pod, node, r)).ToList();
        return Best * (1 - (Math.Abs(shares[0] - shares[1]) / 2));
    }

    /// <summary>The part of a resource that would be taken, at most 1.</summary>
    private static decimal Share(V1Pod pod, NodeState node, string resource)
    {
        if (node.Allocatable(resource) is not (> 0 and var all)) return 1;
        var taken = node.Pods.Append(pod).Sum(p => PodRequests.Counted(p.Spec).GetValueOrDefault(resource));
        return Math.Min(1, taken / all);
    }
}
