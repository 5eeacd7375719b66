using Graft.LocalCluster.Controllers.Workloads;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Disruption;

/// <param name="Again">When an eviction that did not end its pod is forgotten.</param>
internal sealed record DisruptionPlan(V1PodDisruptionBudgetStatus Status, TimeSpan? Again);

/// <summary>How many pods of a budget may be disrupted now (pkg/controller/disruption).</summary>
internal static class DisruptionDecision
{
    private const string Allowed = "DisruptionAllowed";

    /// <summary>An evicted pod that is still there after so long is taken for one that stays.</summary>
    private static readonly TimeSpan DeletionTimeout = TimeSpan.FromMinutes(2);

    /// <param name="pods">The pods that the budget selects.</param>
    /// <param name="scale">How many pods their controllers want; null where one of them does not say.</param>
    public static DisruptionPlan Decide(V1PodDisruptionBudget budget, IReadOnlyList<V1Pod> pods, int? scale, DateTimeOffset now)
    {
        var needsScale = budget.Spec.MaxUnavailable is not null || budget.Spec.MinAvailable?.Value.EndsWith('%') == true;
        var expected = needsScale ? scale : pods.Count;
        var disrupted = (budget.Status?.DisruptedPods ?? new Dictionary<string, DateTime?>()).Where(d => d.Value is { } at && at + DeletionTimeout > now
            && pods.Any(p => p.Metadata.Name == d.Key && !Pods.IsDeleting(p))).ToDictionary(d => d.Key, d => d.Value);
        var healthy = pods.Count(p => !Pods.IsDeleting(p) && !disrupted.ContainsKey(p.Metadata.Name) && Pods.IsReady(p));
        var desired = expected is null ? budget.Status?.DesiredHealthy ?? 0
            : budget.Spec.MaxUnavailable is { } most ? Math.Max(0, expected.Value - RolloutBounds.Resolve(most.Value, expected.Value, up: true))
            : budget.Spec.MinAvailable is { } least ? RolloutBounds.Resolve(least.Value, expected.Value, up: true) : 0;
        var left = expected is null or 0 ? 0 : Math.Max(0, healthy - desired);
        var status = new V1PodDisruptionBudgetStatus
        {
            CurrentHealthy = healthy,
            DesiredHealthy = desired,
            ExpectedPods = expected ?? budget.Status?.ExpectedPods ?? 0,
            DisruptionsAllowed = left,
            DisruptedPods = disrupted.Count > 0 ? disrupted : null,
            ObservedGeneration = budget.Metadata.Generation,
        };
        var reason = expected is null ? "SyncFailed" : left > 0 ? "SufficientPods" : "InsufficientPods";
        var message = expected is null ? "found no controller with a scale for a pod" : "";
        status.Conditions = [Condition(budget, left > 0, reason, message, now)];
        TimeSpan? again = disrupted.Count == 0 ? null : disrupted.Values.Min() + DeletionTimeout - now.UtcDateTime;
        return new DisruptionPlan(status, again);
    }

    private static V1Condition Condition(V1PodDisruptionBudget budget, bool allowed, string reason, string message, DateTimeOffset now)
    {
        var known = budget.Status?.Conditions?.FirstOrDefault(c => c.Type == Allowed);
        var status = allowed ? "True" : "False";
        return new V1Condition
        {
            Type = Allowed, Status = status, Reason = reason, Message = message, ObservedGeneration = budget.Metadata.Generation,
            LastTransitionTime = known?.Status == status ? known.LastTransitionTime : now.UtcDateTime,
        };
    }
}
