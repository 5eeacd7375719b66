using System.Globalization;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Jobs;

/// <summary>A pod to create for a completion index.</summary>
/// <param name="Failures">How often the index has failed; null where the Job does not limit it per index.</param>
internal readonly record struct IndexedPod(int Index, int? Failures);

/// <summary>Completion indexes of Indexed Jobs (KEP-2214), and failures counted per index (KEP-3850).</summary>
internal static class JobIndexes
{
    public const string Annotation = "batch.kubernetes.io/job-completion-index";
    public const string FailuresAnnotation = "batch.kubernetes.io/job-index-failure-count";

    public static bool IsIndexed(V1Job job) => job.Spec.CompletionMode == "Indexed";

    /// <summary>The index that a pod works on; null for none, or one that the Job does not have.</summary>
    public static int? Of(V1Job job, V1Pod pod) => Annotated(pod, Annotation) is { } index && index < job.Spec.Completions ? index : null;

    /// <summary>How often its index had failed before this pod.</summary>
    public static int Failures(V1Pod pod) => Annotated(pod, FailuresAnnotation) ?? 0;

    /// <summary>Reads the form <c>1,3-5,7</c>, of indexes below <paramref name="completions"/>.</summary>
    public static SortedSet<int> Parse(string? text, int completions)
    {
        var indexes = new SortedSet<int>();
        foreach (var interval in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = interval.Split('-');
            if (!int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
                || !int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last)) continue;
            for (var i = first; i <= Math.Min(last, completions - 1); i++) indexes.Add(i);
        }
        return indexes;
    }

    /// <summary>Writes the form that <see cref="Parse"/> reads: runs of three and more as an interval.</summary>
    public static string Format(IEnumerable<int> indexes)
    {
        var runs = new List<(int First, int Last)>();
        foreach (var index in indexes)
        {
            if (runs.Count > 0 && runs[^1].Last == index - 1) runs[^1] = (runs[^1].First, index);
            else runs.Add((index, index));
        }
        return string.Join(',', runs.Select(r => r.First == r.Last ? $"{r.First}" : $"{r.First}{(r.Last == r.First + 1 ? ',' : '-')}{r.Last}"));
    }

    /// <summary>What this pod's failure makes of its index: whether no other pod is tried for it.</summary>
    public static bool EndsIndex(V1Job job, V1Pod pod) => job.Spec.BackoffLimitPerIndex is { } limit
        && PodFailureRules.Judge(job.Spec.PodFailurePolicy, pod).Action switch
        {
            FailureAction.FailIndex => true,
            FailureAction.Ignore => false,
            _ => Failures(pod) + 1 > limit,
        };

    /// <summary>Pods to create for indexes that are neither done, given up, worked on nor within their pause, lowest first.</summary>
    /// <param name="busy">Pods whose index has to wait for them.</param>
    /// <param name="again">When the next pause of an index ends.</param>
    public static List<IndexedPod> Missing(
        V1Job job, IReadOnlyList<V1Pod> pods, IEnumerable<V1Pod> busy, JobTally tally, int count, DateTimeOffset now, JobTiming timing, out TimeSpan? again)
    {
        again = null;
        var taken = busy.Select(p => Of(job, p)).OfType<int>().Concat(tally.Completed).Concat(tally.GivenUp).ToHashSet();
        var failed = pods.Where(p => JobTally.HasFailed(job, p)).ToLookup(p => Of(job, p));
        var result = new List<IndexedPod>();
        for (var index = 0; index < job.Spec.Completions && result.Count < count; index++)
        {
            if (taken.Contains(index)) continue;
            if (job.Spec.BackoffLimitPerIndex is null)
            {
                result.Add(new IndexedPod(index, null));
                continue;
            }
            var failures = failed[index].Select(p => Failures(p) + (Counts(job, p) ? 1 : 0)).DefaultIfEmpty(0).Max();
            var left = failures == 0 ? TimeSpan.Zero : failed[index].Max(Pods.FinishedAt) + timing.Pause(failures) - now;
            if (left <= TimeSpan.Zero) result.Add(new IndexedPod(index, failures));
            else if (again is null || left < again) again = left;
        }
        return result;
    }

    private static bool Counts(V1Job job, V1Pod pod) => PodFailureRules.Judge(job.Spec.PodFailurePolicy, pod).Action != FailureAction.Ignore;

    private static int? Annotated(V1Pod pod, string annotation) => pod.Metadata.Annotations?.TryGetValue(annotation, out var text) == true
        && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
