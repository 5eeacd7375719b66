using k8s.Models;

namespace Graft.LocalCluster.Controllers.Jobs;

/// <summary>
/// How many pods of a Job have ended, counted exactly once each (KEP-2307): a pod carries a finalizer until its end is in the
/// status. First its uid goes into <c>uncountedTerminatedPods</c>, then the finalizer is removed, then the uid becomes a count;
/// each step is one write, and after a crash in between the next pass goes on from what is written.
/// </summary>
/// <param name="Succeeded">Pods that succeeded, with those not yet flushed into the status' number.</param>
/// <param name="Failed">The same of failed ones; pods whose failure is ignored are in neither.</param>
/// <param name="Release">Pods whose end is written down, so that the finalizer can go.</param>
internal sealed record JobTally(
    int Succeeded, int Failed, int FlushedSucceeded, int FlushedFailed,
    IReadOnlyList<string> UncountedSucceeded, IReadOnlyList<string> UncountedFailed, IReadOnlyList<V1Pod> Release)
{
    public const string Finalizer = "batch.kubernetes.io/job-tracking";

    public bool IsFlushed => UncountedSucceeded.Count + UncountedFailed.Count == 0;

    public static bool IsTracked(V1Pod pod) => pod.Metadata.Finalizers?.Contains(Finalizer) == true;

    public static JobTally Of(V1Job job, IReadOnlyList<V1Pod> pods)
    {
        var written = job.Status?.UncountedTerminatedPods;
        var tracked = pods.Where(IsTracked).ToDictionary(p => p.Metadata.Uid);
        var (succeeded, flushedSucceeded) = Flush(written?.Succeeded, tracked, job.Status?.Succeeded ?? 0);
        var (failed, flushedFailed) = Flush(written?.Failed, tracked, job.Status?.Failed ?? 0);
        var known = succeeded.Concat(failed).ToHashSet();
        var release = known.Select(uid => tracked[uid]).ToList();
        foreach (var pod in pods.Where(p => IsTracked(p) && !known.Contains(p.Metadata.Uid)))
        {
            if (Pods.IsSucceeded(pod)) succeeded.Add(pod.Metadata.Uid);
            else if (!HasFailed(job, pod)) continue;
            else if (PodFailureRules.Judge(job.Spec.PodFailurePolicy, pod).Action == FailureAction.Ignore) release.Add(pod);
            else failed.Add(pod.Metadata.Uid);
        }
        return new JobTally(
            flushedSucceeded + succeeded.Count, flushedFailed + failed.Count, flushedSucceeded, flushedFailed, succeeded, failed, release);
    }

    /// <summary>
    /// A pod that is being deleted has failed as soon as that begins, unless the Job replaces pods only when they are over:
    /// by its podReplacementPolicy, or because a podFailurePolicy needs the exit code.
    /// </summary>
    public static bool HasFailed(V1Job job, V1Pod pod) =>
        Pods.IsFailed(pod) || (Pods.IsDeleting(pod) && !Pods.IsSucceeded(pod) && !WaitsForEnd(job));

    public static bool WaitsForEnd(V1Job job) => job.Spec.PodReplacementPolicy == "Failed" || job.Spec.PodFailurePolicy is not null;

    private static (List<string> Uncounted, int Flushed) Flush(IList<string>? uids, Dictionary<string, V1Pod> tracked, int counted)
    {
        var uncounted = (uids ?? []).Where(tracked.ContainsKey).ToList();
        return (uncounted, counted + (uids?.Count ?? 0) - uncounted.Count);
    }
}
