using Graft.Contract;
using Graft.Operator.Api;
using Graft.Operator.Pods;
using k8s.Models;

namespace Graft.Operator.FineTuning;

/// <summary>Where a run stands, told from its children alone.</summary>
internal abstract record RunState
{
    /// <summary>There is no Job yet, or it has no pod yet, or the pod does not run yet.</summary>
    /// <param name="Trouble">What keeps its container from being started, as a condition's reason; null when nothing is known to.</param>
    public sealed record Pending(string Message, string? Trouble = null) : RunState;

    public sealed record Running(V1Pod Pod) : RunState;

    /// <summary>The last pod has ended, and the Job is about to say so too.</summary>
    public sealed record Ending : RunState;

    /// <summary>A pod failed and the Job will start another one.</summary>
    public sealed record Retrying(Failure Failure, int Attempts) : RunState;

    public sealed record Suspended : RunState;

    public sealed record Succeeded(TrainingResult Result, DateTimeOffset Finished) : RunState;

    /// <summary>The Job is complete but its pod, and with it the result, is gone. Asking again costs no training.</summary>
    public sealed record ResultLost : RunState;

    public sealed record Failed(string Reason, string Message, DateTimeOffset Finished) : RunState;

    /// <summary>The pod was given its time to start. Its Job is removed as soon as this is written down.</summary>
    public sealed record NeverStarted(string Reason, string Message, V1Pod Pod, DateTimeOffset Finished) : RunState;

    /// <summary>Something else has the Job's name.</summary>
    public sealed record Conflict(string Message, bool WillPass) : RunState;

    /// <param name="startLimit">How long a pod may fail to start its container.</param>
    public static RunState Of(FineTuneJob resource, FineTuneJobView view, TimeSpan startLimit, DateTimeOffset now)
    {
        if (view.Job is not { } job) return resource.Spec.Suspend ? new Suspended() : new Pending("the run is accepted");
        if (!job.IsOwnedBy(resource)) return ConflictWith(resource, job);
        if (job.Metadata.DeletionTimestamp is not null) return new Pending("the Job before this one is going away");
        if (Condition(job, "Complete") is { } complete) return OfComplete(view, Time(complete, now));
        if (Condition(job, "Failed") is { } failed) return OfFailed(view, failed, Time(failed, now));
        if (Condition(job, "SuccessCriteriaMet") is not null || Condition(job, "FailureTarget") is not null) return new Ending();
        if (resource.Spec.Suspend) return new Suspended();
        return view.Active is { } pod ? OfActive(pod, startLimit, now) : OfWaiting(view);
    }

    public static bool HasEnded(V1Job job) => Condition(job, "Complete") is not null || Condition(job, "Failed") is not null;

    private static RunState OfComplete(FineTuneJobView view, DateTimeOffset finished)
    {
        var outcomes = view.Ended.Select(PodOutcome.Of).ToList();
        var outcome = outcomes.LastOrDefault(o => o!.Result is not null) ?? outcomes.LastOrDefault();
        return outcome switch
        {
            // A Job is complete when its pod has ended: one that seems to run is known from before that.
            null when view.Active is not null => new Ending(),
            null => new ResultLost(),
            { Result: { } result } => new Succeeded(result, finished),
            { Failure: var failure } => new Failed(failure!.Class.ToString(), failure.Message, finished),
        };
    }

    private static RunState OfFailed(FineTuneJobView view, V1JobCondition condition, DateTimeOffset finished)
    {
        if (condition.Reason == Reasons.DeadlineExceeded)
            return new Failed(Reasons.DeadlineExceeded, "the run took longer than spec.activeDeadline allows", finished);
        var failure = view.Ended.Select(p => PodOutcome.Of(p)!.Failure).LastOrDefault(f => f is not null);
        // As above: what it failed of is about to be known.
        if (failure is null && view.Active is not null) return new Ending();
        if (failure is null)
            return new Failed(nameof(FailureClass.Infrastructure), $"the Job failed: {condition.Reason}: {condition.Message}", finished);
        var attempts = view.Ended.Count();
        var again = attempts > 1 && ExitCodes.IsRetryable(failure.Class) ? $" (attempt {attempts}, the last)" : "";
        return new Failed(failure.Class.ToString(), failure.Message + again, finished);
    }

    private static RunState OfActive(V1Pod pod, TimeSpan startLimit, DateTimeOffset now)
    {
        var container = PodOutcome.Container(pod);
        if (container?.State?.Running is not null) return new Running(pod);
        var message = PodProblem.Of(pod) ?? Starting(pod);
        if (container is null || PodProblem.StartFailure(container) is not { } reason) return new Pending(message);
        return pod.Status.StartTime is { } start && now - Utc(start) >= startLimit
            ? new NeverStarted(reason, $"not started within {ShortDuration.Format(startLimit)}: {message}", pod, now)
            : new Pending(message, reason);
    }

    // A kubelet says only in events that a Secret is missing, and waits for it for ever.
    private static string Starting(V1Pod pod)
    {
        var secrets = (pod.Spec?.Volumes ?? []).Select(v => v.Secret?.SecretName).OfType<string>().Select(s => $"'{s}'").ToList();
        return $"pod {pod.Metadata.Name} is starting" + (
            secrets.Count == 0 ? "" : $"; it needs the Secret {string.Join(" and ", secrets)}");
    }

    private static RunState OfWaiting(FineTuneJobView view)
    {
        if (view.Ended.Any(p => PodOutcome.Of(p)!.Result is not null)) return new Ending();
        var failure = view.Ended.Select(p => PodOutcome.Of(p)!.Failure).LastOrDefault(f => f is not null);
        return failure is null ? new Pending("waiting for a pod") : new Retrying(failure, view.Ended.Count());
    }

    private static Conflict ConflictWith(FineTuneJob resource, V1Job job)
    {
        var earlier = job.Metadata.OwnerReferences?.Any(o => o.Kind == resource.Kind && o.Name == resource.Metadata.Name) == true;
        return earlier
            ? new($"the Job of an earlier FineTuneJob '{resource.Metadata.Name}' is still being removed", WillPass: true)
            : new($"a Job '{job.Metadata.Name}' that this FineTuneJob did not make has its name; rename one of them", WillPass: false);
    }

    private static V1JobCondition? Condition(V1Job job, string type) =>
        job.Status?.Conditions?.FirstOrDefault(c => c.Type == type && c.Status == "True");

    private static DateTimeOffset Time(V1JobCondition condition, DateTimeOffset now) =>
        condition.LastTransitionTime is { } time ? Utc(time) : now;

    private static DateTimeOffset Utc(DateTime time) => new(DateTime.SpecifyKind(time, DateTimeKind.Utc));
}
