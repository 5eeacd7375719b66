using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Jobs;

/// <summary>
/// The Job controller's decision, as kubernetes/pkg/controller/job does it: from the Job and its pods to
/// a plan. It reads nothing else and changes nothing.
/// </summary>
internal static class JobDecision
{
    private sealed record Verdict(bool Succeeded, string Reason, string Message);

    /// <param name="pods">All pods that the Job controls.</param>
    public static JobPlan Decide(V1Job job, IReadOnlyList<V1Pod> pods, DateTimeOffset now, JobTiming timing)
    {
        if (JobConditions.Finished(job.Status) is { } finished) return Finished(job, finished, pods, now);

        var status = job.Status is null ? new V1JobStatus() : ObjectJson.Clone(job.Status);
        var events = new List<PlannedEvent>();
        var tally = JobTally.Of(job, pods);
        var active = pods.Where(Pods.IsActive).ToList();
        var suspended = job.Spec.Suspend == true;
        SetSuspended(status, suspended, events, now);
        if (!suspended) status.StartTime ??= now.UtcDateTime;

        var verdict = Judge(job, status, pods, tally, active, now);
        var deleting = job.Metadata.DeletionTimestamp is not null;
        var plan = new JobPlan(status, 0, [], [], deleting ? Released(pods) : tally.Release, events);
        if (verdict is not null)
        {
            plan = plan with { Delete = active };
            Announce(status, verdict, now);
            if (tally.IsFlushed && pods.All(Pods.IsTerminal))
            {
                Finish(status, verdict, events, now);
                if (job.Spec.TtlSecondsAfterFinished is { } ttl) plan = plan with { Again = TimeSpan.FromSeconds(ttl) };
            }
        }
        else if (suspended)
        {
            plan = plan with { Withdraw = active };
        }
        else if (!deleting)
        {
            plan = Manage(plan, job, pods, active, tally, now, timing);
        }
        if (JobIndexes.IsIndexed(job))
        {
            status.CompletedIndexes = tally.Completed.Count > 0 ? JobIndexes.Format(tally.Completed) : null;
            if (job.Spec.BackoffLimitPerIndex is not null) status.FailedIndexes = JobIndexes.Format(tally.GivenUp);
        }
        Count(status, pods, tally, active.Count - plan.Withdraw.Count - plan.Delete.Count + plan.Create);
        // The next step of counting follows the status' write, which is no event that leads back here.
        TimeSpan? counting = tally.IsFlushed ? null : TimeSpan.FromMilliseconds(1);
        return plan with { Again = Sooner(counting, Sooner(plan.Again, DeadlineIn(job, status, verdict, suspended, now))) };
    }

    private static JobPlan Finished(V1Job job, V1JobCondition finished, IReadOnlyList<V1Pod> pods, DateTimeOffset now)
    {
        var plan = new JobPlan(job.Status, 0, pods.Where(Pods.IsActive).ToList(), [], Released(pods), []);
        if (job.Spec.TtlSecondsAfterFinished is not { } ttl || job.Metadata.DeletionTimestamp is not null) return plan;
        var left = (job.Status.CompletionTime ?? finished.LastTransitionTime ?? now.UtcDateTime) + TimeSpan.FromSeconds(ttl) - now;
        return left <= TimeSpan.Zero ? plan with { DeleteJob = true } : plan with { Again = left };
    }

    private static List<V1Pod> Released(IReadOnlyList<V1Pod> pods) =>
        [.. pods.Where(p => JobTally.IsTracked(p) && (Pods.IsTerminal(p) || Pods.IsDeleting(p)))];

    private static void SetSuspended(V1JobStatus status, bool suspended, List<PlannedEvent> events, DateTimeOffset now)
    {
        if (suspended)
        {
            // Active time starts anew when it goes on.
            status.StartTime = null;
            if (JobConditions.Set(status, JobConditions.Suspended, true, "JobSuspended", "Job suspended", now))
                events.Add(PlannedEvent.Normal("Suspended", "Job suspended"));
        }
        else if (JobConditions.IsTrue(status, JobConditions.Suspended))
        {
            JobConditions.Set(status, JobConditions.Suspended, false, "JobResumed", "Job resumed", now);
            events.Add(PlannedEvent.Normal("Resumed", "Job resumed"));
        }
    }

    /// <summary>Whether the Job is decided, for better or worse; null while it is not.</summary>
    private static Verdict? Judge(
        V1Job job, V1JobStatus status, IReadOnlyList<V1Pod> pods, JobTally tally, List<V1Pod> active, DateTimeOffset now)
    {
        if (JobConditions.Find(status, JobConditions.FailureTarget) is { Status: "True" } target) return new(false, target.Reason, target.Message);
        if (JobConditions.Find(status, JobConditions.SuccessCriteriaMet) is { Status: "True" } met) return new(true, met.Reason, met.Message);

        var fatal = pods.Where(p => JobTally.IsTracked(p) && Pods.IsFailed(p))
            .Select(p => PodFailureRules.Judge(job.Spec.PodFailurePolicy, p)).FirstOrDefault(v => v.Action == FailureAction.FailJob);
        if (fatal is not null) return new(false, "PodFailurePolicy", fatal.Message!);

        var limit = job.Spec.BackoffLimit ?? (job.Spec.BackoffLimitPerIndex is null ? 6 : int.MaxValue);
        if (tally.Failed > limit || RestartsExceed(job, active, limit))
            return new(false, "BackoffLimitExceeded", "Job has reached the specified backoff limit");
        if (job.Spec.ActiveDeadlineSeconds is { } deadline && status.StartTime is { } start && start + TimeSpan.FromSeconds(deadline) <= now)
            return new(false, "DeadlineExceeded", "Job was active longer than specified deadline");
        if (job.Spec.MaxFailedIndexes is { } most && tally.GivenUp.Count > most)
            return new(false, "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
        if (tally.GivenUp.Count > 0 && tally.GivenUp.Count + tally.Completed.Count >= job.Spec.Completions)
            return new(false, "FailedIndexes", "Job has failed indexes");
        if (SuccessRules.Judge(job, tally.Completed) is { } enough) return new(true, "SuccessPolicy", enough);

        var complete = job.Spec.Completions is { } wanted
            ? tally.Succeeded >= wanted
            : tally.Succeeded > 0 && active.Count == 0; // A work queue: one success says that the rest may end by itself.
        return complete ? new(true, "CompletionsReached", "Reached expected number of succeeded pods") : null;
    }

    /// <summary>Where containers restart in place, the restarts count against the limit.</summary>
    private static bool RestartsExceed(V1Job job, List<V1Pod> active, int limit)
    {
        if (job.Spec.Template.Spec.RestartPolicy != "OnFailure") return false;
        var restarts = active.SelectMany(p => (p.Status?.ContainerStatuses ?? []).Concat(p.Status?.InitContainerStatuses ?? [])).Sum(c => c.RestartCount);
        return limit == 0 ? restarts > 0 : restarts >= limit;
    }

    private static void Announce(V1JobStatus status, Verdict verdict, DateTimeOffset now) => JobConditions.Set(
        status, verdict.Succeeded ? JobConditions.SuccessCriteriaMet : JobConditions.FailureTarget, true, verdict.Reason, verdict.Message, now);

    private static void Finish(V1JobStatus status, Verdict verdict, List<PlannedEvent> events, DateTimeOffset now)
    {
        JobConditions.Set(status, verdict.Succeeded ? JobConditions.Complete : JobConditions.Failed, true, verdict.Reason, verdict.Message, now);
        if (verdict.Succeeded) status.CompletionTime = now.UtcDateTime;
        events.Add(verdict.Succeeded
            ? PlannedEvent.Normal("Completed", "Job completed")
            : PlannedEvent.Warning(verdict.Reason, verdict.Message));
    }

    private static JobPlan Manage(
        JobPlan plan, V1Job job, IReadOnlyList<V1Pod> pods, List<V1Pod> active, JobTally tally, DateTimeOffset now, JobTiming timing)
    {
        var parallelism = job.Spec.Parallelism ?? 1;
        var wanted = job.Spec.Completions is { } completions ? Math.Min(parallelism, completions - tally.Succeeded - tally.GivenUp.Count)
            : tally.Succeeded > 0 ? Math.Min(active.Count, parallelism) : parallelism;
        if (JobIndexes.IsIndexed(job) && Superfluous(job, active) is { Count: > 0 } superfluous) return plan with { Withdraw = superfluous };
        if (active.Count > wanted)
        {
            // The youngest have done the least.
            var surplus = active.OrderByDescending(p => p.Metadata.CreationTimestamp).Take(active.Count - wanted).ToList();
            return plan with { Withdraw = surplus };
        }
        var held = JobTally.WaitsForEnd(job) ? pods.Count(p => Pods.IsDeleting(p) && !Pods.IsTerminal(p)) : 0;
        var missing = wanted - active.Count - held;
        if (missing <= 0) return plan;
        if (job.Spec.BackoffLimitPerIndex is not null) return Indexed(plan, job, pods, active, tally, missing, now, timing);
        var pause = BackoffLeft(pods, now, timing);
        if (pause > TimeSpan.Zero) return plan with { Again = pause };
        return JobIndexes.IsIndexed(job) ? Indexed(plan, job, pods, active, tally, missing, now, timing) : plan with { Create = missing };
    }

    private static JobPlan Indexed(
        JobPlan plan, V1Job job, IReadOnlyList<V1Pod> pods, List<V1Pod> active, JobTally tally, int missing, DateTimeOffset now, JobTiming timing)
    {
        var busy = active.Concat(JobTally.WaitsForEnd(job) ? pods.Where(p => Pods.IsDeleting(p) && !Pods.IsTerminal(p)) : []);
        var indexes = JobIndexes.Missing(job, pods, busy, tally, missing, now, timing, out var again);
        return plan with { Create = indexes.Count, Indexes = indexes, Again = again };
    }

    /// <summary>Pods whose index is not the Job's, or is worked on by an older pod too.</summary>
    private static List<V1Pod> Superfluous(V1Job job, List<V1Pod> active) =>
        [.. active.Where(p => JobIndexes.Of(job, p) is null), .. active.Where(p => JobIndexes.Of(job, p) is not null).GroupBy(p => JobIndexes.Of(job, p))
            .SelectMany(same => same.OrderBy(p => p.Metadata.CreationTimestamp).Skip(1))];

    /// <summary>The pause that is left after the failures in a row since the last success.</summary>
    private static TimeSpan BackoffLeft(IReadOnlyList<V1Pod> pods, DateTimeOffset now, JobTiming timing)
    {
        var lastSuccess = pods.Where(Pods.IsSucceeded).Select(Pods.FinishedAt).DefaultIfEmpty(DateTimeOffset.MinValue).Max();
        var failures = pods.Where(Pods.IsFailed).Select(Pods.FinishedAt).Where(t => t > lastSuccess).ToList();
        if (failures.Count == 0) return TimeSpan.Zero;
        return failures.Max() + timing.Pause(failures.Count) - now;
    }

    private static void Count(V1JobStatus status, IReadOnlyList<V1Pod> pods, JobTally tally, int active)
    {
        status.Ready = pods.Count(p => Pods.IsActive(p) && Pods.IsReady(p));
        status.Terminating = pods.Count(p => Pods.IsDeleting(p) && !Pods.IsTerminal(p));
        // Without a pod there is nothing to count, and an empty Job's status says so by absence, as on a cluster.
        status.Succeeded = tally.FlushedSucceeded > 0 ? tally.FlushedSucceeded : null;
        status.Failed = tally.FlushedFailed > 0 ? tally.FlushedFailed : null;
        status.Active = active > 0 ? active : null;
        status.UncountedTerminatedPods = new V1UncountedTerminatedPods
        {
            Succeeded = tally.UncountedSucceeded.Count > 0 ? [.. tally.UncountedSucceeded] : null,
            Failed = tally.UncountedFailed.Count > 0 ? [.. tally.UncountedFailed] : null,
        };
    }

    private static TimeSpan? DeadlineIn(V1Job job, V1JobStatus status, Verdict? verdict, bool suspended, DateTimeOffset now) =>
        verdict is null && !suspended && job.Spec.ActiveDeadlineSeconds is { } deadline && status.StartTime is { } start
            ? start + TimeSpan.FromSeconds(deadline) - now
            : null;

    private static TimeSpan? Sooner(TimeSpan? a, TimeSpan? b) => a is null || b < a ? b ?? a : a;
}
