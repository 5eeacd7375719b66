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
    IReadOnlyList<PlannedEvent> Events, bool DeleteJob = false, TimeSpan? Again = null)
{
    /// <summary>Of an Indexed Job: what each pod to create is for.</summary>
    public IReadOnlyList<IndexedPod> Indexes { get; init; } = [];
}

/// <param name="FirstBackoff">Pause after the first failure; it doubles with each further one in a row.</param>
internal sealed record JobTiming(TimeSpan FirstBackoff, TimeSpan LongestBackoff)
{
    public static JobTiming Default { get; } = new(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(10));

    /// <summary>How long to wait after so many failures in a row.</summary>
    public TimeSpan Pause(int failures)
    {
        var pause = FirstBackoff * Math.Pow(2, Math.Min(failures - 1, 20));
        return pause < LongestBackoff ? pause : LongestBackoff;
    }
}
