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
    /// <summary>Of an Indexed Job: the indexes that succeeded. Each is written down by itself, so that none needs an uncounted uid.</summary>
    public IReadOnlySet<int> Completed { get; init; } = new HashSet<int>();

    /// <summary>Of a Job with a limit per index: the indexes that failed too often.</summary>
    public IReadOnlySet<int> GivenUp { get; init; } = new HashSet<int>();

    /// <summary>Indexes that are in the status only after its next write.</summary>
    private bool HasNewIndexes { get; init; }

    public const string Finalizer = "batch.kubernetes.io/job-tracking";

    public bool IsFlushed => UncountedSucceeded.Count + UncountedFailed.Count == 0 && !HasNewIndexes;

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
            if (Pods.IsSucceeded(pod) && JobIndexes.IsIndexed(job)) release.Add(pod);
            else if (Pods.IsSucceeded(pod)) succeeded.Add(pod.Metadata.Uid);
            else if (!HasFailed(job, pod)) continue;
            else if (PodFailureRules.Judge(job.Spec.PodFailurePolicy, pod).Action == FailureAction.Ignore) release.Add(pod);
            else failed.Add(pod.Metadata.Uid);
        }
        if (JobIndexes.IsIndexed(job)) return Indexed(job, tracked.Values, flushedFailed, failed, release);
        return new JobTally(
            flushedSucceeded + succeeded.Count, flushedFailed + failed.Count, flushedSucceeded, flushedFailed, succeeded, failed, release);
    }

    private static JobTally Indexed(V1Job job, IReadOnlyCollection<V1Pod> tracked, int flushedFailed, List<string> failed, List<V1Pod> release)
    {
        var completed = JobIndexes.Parse(job.Status?.CompletedIndexes, job.Spec.Completions ?? 0);
        completed.UnionWith(tracked.Where(Pods.IsSucceeded).Select(p => JobIndexes.Of(job, p)).OfType<int>());
        var givenUp = JobIndexes.Parse(job.Status?.FailedIndexes, job.Spec.Completions ?? 0);
        givenUp.UnionWith(tracked.Where(p => HasFailed(job, p) && JobIndexes.EndsIndex(job, p)).Select(p => JobIndexes.Of(job, p)).OfType<int>());
        givenUp.ExceptWith(completed);
        return new JobTally(completed.Count, flushedFailed + failed.Count, completed.Count, flushedFailed, [], failed, release)
        {
            Completed = completed, GivenUp = givenUp, HasNewIndexes = tracked.Any(Pods.IsSucceeded),
        };
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
