using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>Why a node does not take a pod.</summary>
/// <param name="Reasons">In the scheduler's words.</param>
/// <param name="IsFinal">Taking pods away from the node would not help (UnschedulableAndUnresolvable).</param>
internal sealed record Refusal(IReadOnlyList<string> Reasons, bool IsFinal);

/// <summary>
/// The filters of the default profile in its order (pkg/scheduler/apis/config/v1/default_plugins.go), each as a function; the first
/// that refuses a node is the one that is told.
/// </summary>
internal static class NodeFilters
{
    private static readonly Func<V1Pod, NodeState, ClusterSnapshot, Refusal?>[] All =
    [
        (pod, node, _) => Unschedulable(pod, node),
        (pod, node, _) => Name(pod, node),
        (pod, node, _) => Taint(pod, node),
        (pod, node, _) => Affinity(pod, node),
        (pod, node, _) => Ports(pod, node),
        (pod, node, _) => Resources(pod, node),
        TopologySpread.Filter,
        PodAffinity.Filter,
    ];

    /// <returns>Null when the node takes the pod.</returns>
    public static Refusal? Refuse(V1Pod pod, NodeState node, ClusterSnapshot snapshot) =>
        All.Select(filter => filter(pod, node, snapshot)).FirstOrDefault(refusal => refusal is not null);

    private static Refusal? Unschedulable(V1Pod pod, NodeState node) => node.Node.Spec?.Unschedulable == true
        && !Taints.Tolerates(pod.Spec, new V1Taint { Key = Taints.Unschedulable, Effect = "NoSchedule" })
            ? new Refusal(["node(s) were unschedulable"], IsFinal: true) : null;

    private static Refusal? Name(V1Pod pod, NodeState node) => pod.Spec.NodeName is { Length: > 0 } name && name != node.Name
        ? new Refusal(["node(s) didn't match the requested node name"], IsFinal: true) : null;

    private static Refusal? Taint(V1Pod pod, NodeState node) => Taints.Untolerated(pod.Spec, node.Node, "NoSchedule", "NoExecute") is { } taint
        ? new Refusal([$"node(s) had untolerated taint {{{taint.Key}: {taint.Value}}}"], IsFinal: true) : null;

    private static Refusal? Affinity(V1Pod pod, NodeState node) => NodeSelection.Matches(pod.Spec, node.Node)
        ? null : new Refusal(["node(s) didn't match Pod's node affinity/selector"], IsFinal: true);

    private static Refusal? Ports(V1Pod pod, NodeState node)
    {
        var wanted = HostPorts(pod.Spec).ToList();
        return wanted.Count > 0 && node.Pods.SelectMany(p => HostPorts(p.Spec)).Any(taken => wanted.Any(w => Clash(w, taken)))
            ? new Refusal(["node(s) didn't have free ports for the requested pod ports"], IsFinal: false) : null;
    }

    private static IEnumerable<(string Ip, string Protocol, int Port)> HostPorts(V1PodSpec spec) =>
        spec.Containers.Concat((spec.InitContainers ?? []).Where(c => c.RestartPolicy == "Always")).SelectMany(c => c.Ports ?? [])
            .Where(p => p.HostPort is > 0).Select(p => (p.HostIP is { Length: > 0 } ip ? ip : "0.0.0.0", p.Protocol ?? "TCP", p.HostPort!.Value));

    private static bool Clash((string Ip, string Protocol, int Port) a, (string Ip, string Protocol, int Port) b) =>
        a.Port == b.Port && a.Protocol == b.Protocol && (a.Ip == b.Ip || a.Ip == "0.0.0.0" || b.Ip == "0.0.0.0");

    /// <summary>Every resource that is short is told, the number of pods first (noderesources/fit.go, fitsRequest).</summary>
    private static Refusal? Resources(V1Pod pod, NodeState node)
    {
        var (reasons, final) = (new List<string>(), false);
        if (node.Pods.Count + 1 > node.Allocatable("pods")) reasons.Add("Too many pods");
        foreach (var (resource, wanted) in PodRequests.Of(pod.Spec).Where(r => r.Value > 0).OrderBy(r => Rank(r.Key)).ThenBy(r => r.Key, StringComparer.Ordinal))
        {
            if (wanted <= node.Allocatable(resource) - node.Taken(resource)) continue;
            reasons.Add($"Insufficient {resource}");
            final |= wanted > node.Allocatable(resource);
        }
        return reasons.Count > 0 ? new Refusal(reasons, final) : null;
    }

    private static int Rank(string resource) => resource switch { "cpu" => 0, "memory" => 1, "ephemeral-storage" => 2, _ => 3 };
}
