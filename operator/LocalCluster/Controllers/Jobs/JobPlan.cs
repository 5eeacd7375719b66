using k8s.Models;

namespace Graft.LocalCluster.Controllers.Jobs;

/// <summary>What to do about a Job now.</summary>
/// <param name="Status">The whole status as it should be.</param>
/// <param name="Create">Pods to create.</param>
/// <param name="Delete">Pods to delete whose end counts as failed (the Job is over).</param>
/// <param name="Withdraw">Pods to delete whose end does not count (suspended, or more than wanted).</param>
/// <param name="Release">Pods whose tracking finalizer goes, once the status is written.</param>
/// <param name="DeleteJob">Its time to live is over.</param>
/// <param name="Again">When to look again though nothing happened.</param>
internal sealed record JobPlan(
    V1JobStatus Status, int Create, IReadOnlyList<V1Pod> Delete, IReadOnlyList<V1Pod> Withdraw, IReadOnlyList<V1Pod> Release,
    IReadOnlyList<PlannedEvent> Events, bool DeleteJob = false, TimeSpan? Again = null);

/// <param name="FirstBackoff">Pause after the first failure; it doubles with each further one in a row.</param>
internal sealed record JobTiming(TimeSpan FirstBackoff, TimeSpan LongestBackoff)
{
    public static JobTiming Default { get; } = new(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(10));
}
