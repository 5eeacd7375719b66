using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Workloads;

internal sealed record ReplicaSetPlan(V1ReplicaSetStatus Status, int Create, IReadOnlyList<V1Pod> Delete, TimeSpan? Again = null);

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
        var surplus = deleting ? [] : active.OrderBy(Rank).ThenByDescending(p => p.Metadata.CreationTimestamp).Take(Math.Max(0, active.Count - wanted)).ToList();
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

    /// <summary>Which pods go first: those that have done the least for anybody.</summary>
    private static int Rank(V1Pod pod) =>
        pod.Spec.NodeName is null or "" ? 0 : pod.Status?.Phase != "Running" ? 1 : !Pods.IsReady(pod) ? 2 : 3;

    private static bool HasLabels(V1Pod pod, IDictionary<string, string>? labels) =>
        labels is null || labels.All(l => pod.Metadata.Labels?.TryGetValue(l.Key, out var value) == true && value == l.Value);

    public static bool SameStatus(V1ReplicaSetStatus? a, V1ReplicaSetStatus b) =>
        a is not null && ObjectJson.ToNode(a)!.ToJsonString() == ObjectJson.ToNode(b)!.ToJsonString();
}
