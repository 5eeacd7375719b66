using System.Globalization;
using Graft.LocalCluster.Controllers.Scheduling;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Workloads;

internal sealed record ReplicaSetPlan(V1ReplicaSetStatus Status, int Create, IReadOnlyList<V1Pod> Delete, TimeSpan? Again = null);

/// <param name="Adopt">Pods that it selects and that nobody controls.</param>
/// <param name="Let">Pods that it controls and selects no longer.</param>
internal sealed record PodClaims(IReadOnlyList<V1Pod> Adopt, IReadOnlyList<V1Pod> Let);

/// <summary>As many pods as wanted, and how many of them are ready and available.</summary>
internal static class ReplicaSetDecision
{
    /// <param name="pods">All pods that the ReplicaSet controls.</param>
    public static ReplicaSetPlan Decide(V1ReplicaSet set, IReadOnlyList<V1Pod> pods, DateTimeOffset now)
    {
        var active = pods.Where(Pods.IsActive).ToList();
        var wanted = set.Spec.Replicas ?? 1;
        var minReady = set.Spec.MinReadySeconds ?? 0;
        var deleting = set.Metadata.DeletionTimestamp is not null;
        var surplus = deleting ? [] : active.OrderBy(Rank).ThenBy(DeletionCost).ThenByDescending(Pods.Restarts).ThenByDescending(p => p.Metadata.CreationTimestamp).Take(Math.Max(0, active.Count - wanted)).ToList();
        var status = new V1ReplicaSetStatus
        {
            Replicas = active.Count,
            FullyLabeledReplicas = active.Count(p => HasLabels(p, set.Spec.Template?.Metadata?.Labels)),
            ReadyReplicas = active.Count(Pods.IsReady),
            AvailableReplicas = active.Count(p => Pods.IsAvailable(p, minReady, now)),
            ObservedGeneration = set.Metadata.Generation,
            Conditions = set.Status?.Conditions,
        };
        // A pod that is ready but not yet for long enough becomes available without any event.
        TimeSpan? again = status.ReadyReplicas > status.AvailableReplicas ? TimeSpan.FromSeconds(1) : null;
        return new ReplicaSetPlan(status, deleting ? 0 : Math.Max(0, wanted - active.Count), surplus, again);
    }

    /// <summary>Whose pods become its own, and which of its own do not stay so (pkg/controller/controller_ref_manager.go).</summary>
    /// <param name="pods">All pods of its namespace.</param>
    public static PodClaims Claim(V1ReplicaSet set, IEnumerable<V1Pod> pods)
    {
        if (set.Metadata.DeletionTimestamp is not null) return new PodClaims([], []);
        var selected = pods.Where(p => !Pods.IsDeleting(p)).ToLookup(p => LabelSelectors.Matches(set.Spec.Selector, p.Metadata.Labels));
        return new PodClaims(
            [.. selected[true].Where(p => !Pods.IsTerminal(p) && p.Metadata.OwnerReferences?.Any(o => o.Controller == true) != true)],
            [.. selected[false].Where(p => Pods.IsOwnedBy(p, set.Metadata.Uid))]);
    }

    /// <summary>What a person says of a pod's worth: the cheapest go first (KEP-2255).</summary>
    private static int DeletionCost(V1Pod pod) =>
        pod.Metadata.Annotations?.TryGetValue("controller.kubernetes.io/pod-deletion-cost", out var text) == true
        && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var cost) ? cost : 0;

    /// <summary>Which pods go first: those that have done the least for anybody.</summary>
    private static int Rank(V1Pod pod) =>
        pod.Spec.NodeName is null or "" ? 0 : pod.Status?.Phase != "Running" ? 1 : !Pods.IsReady(pod) ? 2 : 3;

    private static bool HasLabels(V1Pod pod, IDictionary<string, string>? labels) =>
        labels is null || labels.All(l => pod.Metadata.Labels?.TryGetValue(l.Key, out var value) == true && value == l.Value);

    public static bool SameStatus(V1ReplicaSetStatus? a, V1ReplicaSetStatus b) =>
        a is not null && ObjectJson.ToNode(a)!.ToJsonString() == ObjectJson.ToNode(b)!.ToJsonString();
}
