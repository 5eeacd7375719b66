using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>
/// Whether the one node takes a pod. Processor and memory requests are not held against a laptop: its programs share what
/// is there. Devices cannot be shared, and a node selector is a demand.
/// </summary>
internal static class Placement
{
    /// <returns>Null when the pod fits, else the scheduler's message.</returns>
    public static string? Refuse(V1Pod pod, V1Node node, IEnumerable<V1Pod> placed)
    {
        var reasons = new List<string>();
        if (pod.Spec.NodeSelector?.All(s => node.Metadata.Labels?.TryGetValue(s.Key, out var value) == true && value == s.Value) == false)
            reasons.Add("1 node(s) didn't match Pod's node affinity/selector");
        var taken = placed.Where(p => !Pods.IsTerminal(p) && p.Metadata.Uid != pod.Metadata.Uid).ToList();
        foreach (var (resource, wanted) in Devices(pod))
        {
            var free = Amount(node.Status?.Allocatable, resource) - taken.Sum(p => Devices(p).GetValueOrDefault(resource));
            if (wanted > free) reasons.Add($"1 Insufficient {resource}");
        }
        return reasons.Count == 0 ? null
            : $"0/1 nodes are available: {string.Join(", ", reasons)}. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
    }

    /// <summary>Extended resources (<c>vendor/name</c>) that the pod's containers ask for together.</summary>
    private static Dictionary<string, decimal> Devices(V1Pod pod) =>
        pod.Spec.Containers.SelectMany(c => c.Resources?.Limits ?? c.Resources?.Requests ?? new Dictionary<string, ResourceQuantity>())
            .Where(r => r.Key.Contains('/', StringComparison.Ordinal))
            .GroupBy(r => r.Key).ToDictionary(g => g.Key, g => g.Sum(r => r.Value.ToDecimal()));

    private static decimal Amount(IDictionary<string, ResourceQuantity>? from, string resource) =>
        from?.TryGetValue(resource, out var amount) == true ? amount.ToDecimal() : 0;
}
