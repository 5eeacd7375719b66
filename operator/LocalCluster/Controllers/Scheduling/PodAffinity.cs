using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>
/// What pods demand of the pods beside them (pkg/scheduler/framework/plugins/interpodaffinity/filtering.go). Preferences between pods
/// do not move anything here.
/// </summary>
internal static class PodAffinity
{
    public static Refusal? Filter(V1Pod pod, NodeState node, ClusterSnapshot snapshot)
    {
        if (!Attracted(pod, node, snapshot)) return new Refusal(["node(s) didn't match pod affinity rules"], IsFinal: true);
        if (Required(pod.Spec.Affinity?.PodAntiAffinity).Any(term => Neighbours(term, node, snapshot).Any(other => Selects(term, pod, other, snapshot))))
            return new Refusal(["node(s) didn't match pod anti-affinity rules"], IsFinal: false);
        var unwanted = snapshot.Nodes.SelectMany(n => n.Pods.Select(p => (Node: n, Pod: p)))
            .Any(there => Required(there.Pod.Spec.Affinity?.PodAntiAffinity)
                .Any(term => SameDomain(term.TopologyKey, there.Node, node) && Selects(term, there.Pod, pod, snapshot)));
        return unwanted ? new Refusal(["node(s) didn't satisfy existing pods anti-affinity rules"], IsFinal: false) : null;
    }

    private static bool Attracted(V1Pod pod, NodeState node, ClusterSnapshot snapshot)
    {
        var terms = (pod.Spec.Affinity?.PodAffinity?.RequiredDuringSchedulingIgnoredDuringExecution ?? []).ToList();
        if (terms.Count == 0) return true;
        if (terms.Any(t => node.Label(t.TopologyKey) is null)) return false;
        if (terms.All(term => Neighbours(term, node, snapshot).Any(other => terms.All(t => Selects(t, pod, other, snapshot))))) return true;
        // The first of a group that wants to be together has nobody to join.
        return !snapshot.Nodes.SelectMany(n => n.Pods).Any(other => terms.All(t => Selects(t, pod, other, snapshot)))
            && terms.All(t => Selects(t, pod, pod, snapshot));
    }

    private static IEnumerable<V1PodAffinityTerm> Required(V1PodAntiAffinity? anti) => anti?.RequiredDuringSchedulingIgnoredDuringExecution ?? [];

    private static IEnumerable<V1Pod> Neighbours(V1PodAffinityTerm term, NodeState node, ClusterSnapshot snapshot) =>
        snapshot.Nodes.Where(n => SameDomain(term.TopologyKey, n, node)).SelectMany(n => n.Pods);

    private static bool SameDomain(string key, NodeState a, NodeState b) => a.Label(key) is { } value && value == b.Label(key);

    /// <summary>Whether a term of one pod means another.</summary>
    private static bool Selects(V1PodAffinityTerm term, V1Pod of, V1Pod other, ClusterSnapshot snapshot)
    {
        var (own, ns) = (of.Metadata.NamespaceProperty, other.Metadata.NamespaceProperty);
        var named = term.Namespaces is { Count: > 0 } || term.NamespaceSelector is not null
            ? term.Namespaces?.Contains(ns) == true || LabelSelectors.Matches(term.NamespaceSelector, snapshot.Namespaces.GetValueOrDefault(ns))
            : ns == own;
        return named && LabelSelectors.Matches(term.LabelSelector, other.Metadata.Labels);
    }
}
