using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>A node and the pods that hold a place on it.</summary>
internal sealed record NodeState(V1Node Node, IReadOnlyList<V1Pod> Pods)
{
    public string Name => Node.Metadata.Name;

    /// <summary>What is taken of a resource, in its base unit.</summary>
    public decimal Taken(string resource) => Pods.Sum(p => PodRequests.Of(p.Spec).GetValueOrDefault(resource));

    public decimal Allocatable(string resource) =>
        Node.Status?.Allocatable?.TryGetValue(resource, out var amount) == true ? amount.ToDecimal() : 0;

    public string? Label(string key) => Node.Metadata.Labels?.TryGetValue(key, out var value) == true ? value : null;
}

/// <summary>Everything that one scheduling decision looks at.</summary>
/// <param name="Nodes">In the order of their names, so that equal nodes are taken in turn and always in the same one.</param>
/// <param name="Namespaces">Namespace -> its labels, for affinity terms that select namespaces.</param>
internal sealed record ClusterSnapshot(IReadOnlyList<NodeState> Nodes, IReadOnlyDictionary<string, IDictionary<string, string>?> Namespaces)
{
    /// <param name="assumed">Uid of a pod -> the node that it was bound to a moment ago, where the pod does not show it yet.</param>
    public static ClusterSnapshot Of(
        IEnumerable<V1Node> nodes, IEnumerable<V1Pod> pods, IReadOnlyDictionary<string, string> assumed, IEnumerable<V1Namespace> namespaces)
    {
        var placed = pods.Where(p => !Controllers.Pods.IsTerminal(p))
            .ToLookup(p => p.Spec.NodeName is { Length: > 0 } name ? name : assumed.GetValueOrDefault(p.Metadata.Uid, ""), StringComparer.Ordinal);
        return new ClusterSnapshot(
            [.. nodes.OrderBy(n => n.Metadata.Name, StringComparer.Ordinal).Select(n => new NodeState(n, [.. placed[n.Metadata.Name]]))],
            namespaces.ToDictionary(n => n.Metadata.Name, n => (IDictionary<string, string>?)n.Metadata.Labels, StringComparer.Ordinal));
    }
}
