using Graft.Operator.Api;
using Graft.Operator.Pods;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.FineTuning;

/// <summary>
/// (resource, what was observed, now) -> what should be. Pure. A run that has ended is never started again, whatever
/// happens to its children; names are fixed, so doing a plan twice makes nothing twice.
/// </summary>
internal static class FineTuneJobPlanner
{
    public static Plan<FineTuneJobStatus> Plan(FineTuneJob resource, FineTuneJobView view, OperatorOptions options, DateTimeOffset now)
    {
        if (IsFinal(resource.Status)) return AfterTheEnd(resource, view, now);
        var (spec, errors) = TrainerJobSpec.Build(resource, options.Sources);
        if (spec is null) return Refused(resource, errors, options, now);
        var state = RunState.Of(resource, view, options.StartLimit, now);
        var status = FineTuneJobStatusBuilder.Build(resource, view, state, now);
        return new()
        {
            Apply = [.. Children(resource, view, state, spec, options)],
            Delete = state is RunState.ResultLost ? [view.Job!] : [],
            Status = status,
            StatusWhenRefused = e => FineTuneJobStatusBuilder.Failed(resource, Reasons.ApplyRefused, e.Message, now),
            Events = [.. FineTuneJobEvents.Between(resource.Status, status)],
            RequeueAfter = state switch
            {
                RunState.Running => options.ProgressInterval,
                RunState.Pending or RunState.Retrying or RunState.Ending or RunState.Conflict => options.RetryInterval,
                RunState.ResultLost or RunState.NeverStarted => TimeSpan.FromSeconds(1),
                RunState.Succeeded s => Left(resource.Spec.TtlAfterFinished?.Succeeded, s.Finished, now),
                RunState.Failed f => Left(resource.Spec.TtlAfterFinished?.Failed, f.Finished, now),
                _ => null,
            },
        };
    }

    /// <summary>Whether the run has succeeded or failed for good. A refusal is not an end: the operator's options may change.</summary>
    public static bool IsFinal(FineTuneJobStatus? status) =>
        status?.Conditions.Find(ConditionTypes.Succeeded) is { Status: not Conditions.Unknown } succeeded
        && !Reasons.IsRefusal(succeeded.Reason);

    private static IEnumerable<k8s.IKubernetesObject<V1ObjectMeta>> Children(
        FineTuneJob resource, FineTuneJobView view, RunState state, TrainerJobSpec spec, OperatorOptions options)
    {
        if (state is not (RunState.Pending or RunState.Running or RunState.Retrying or RunState.Suspended)) yield break;
        if (view.Job is { } job)
        {
            // A Job's template cannot change, so a Job that is there is touched only where it may: to suspend and to resume.
            if (job.Metadata.DeletionTimestamp is not null || (job.Spec.Suspend ?? false) == resource.Spec.Suspend) yield break;
            var changed = TrainerObjects.Job(
                resource, spec, Image(resource, options), options.Sources.Fetch, Attempts.UsedTime(resource.Status?.Attempts, job));
            changed.Spec.Template = job.Spec.Template;
            changed.Spec.PodFailurePolicy = job.Spec.PodFailurePolicy;
            changed.Metadata.Annotations = job.Metadata.Annotations;
            yield return changed;
            yield break;
        }
        // A run that is suspended before it starts has nothing to keep.
        if (resource.Spec.Suspend) yield break;
        yield return TrainerObjects.ConfigMap(resource, spec);
        yield return TrainerObjects.Job(
            resource, spec, Image(resource, options), options.Sources.Fetch, Attempts.UsedTime(resource.Status?.Attempts, null));
    }

    private static string Image(FineTuneJob resource, OperatorOptions options) => resource.Spec.Trainer?.Image ?? options.TrainerImage;

    private static Plan<FineTuneJobStatus> Refused(
        FineTuneJob resource, IReadOnlyList<FieldError> errors, OperatorOptions options, DateTimeOffset now)
    {
        var (reason, message) = FieldError.Summary(errors);
        var status = FineTuneJobStatusBuilder.Failed(resource, reason, message, now);
        var events = FineTuneJobEvents.Between(resource.Status, status);
        return new() { Status = status, Events = [.. events], RequeueAfter = options.RetryInterval };
    }

    /// <summary>What may still go on when its run has ended: a pod that waits for its image would train for nobody.</summary>
    private static IReadOnlyList<V1Job> Leftovers(FineTuneJob resource, FineTuneJobView view) =>
        view.Job is { } job && job.IsOwnedBy(resource) && job.Metadata.DeletionTimestamp is null && !RunState.HasEnded(job) ? [job] : [];

    private static Plan<FineTuneJobStatus> AfterTheEnd(FineTuneJob resource, FineTuneJobView view, DateTimeOffset now)
    {
        var status = resource.Status! with
        {
            ObservedGeneration = resource.Metadata.Generation,
            Conditions = FineTuneJobStatusBuilder.Observe(resource.Status.Conditions!, resource.Metadata.Generation),
        };
        var succeeded = resource.Status.Conditions.Find(ConditionTypes.Succeeded)!;
        var finished = succeeded.LastTransitionTime is { } time ? new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Utc)) : now;
        var ttl = resource.Spec.TtlAfterFinished;
        var wait = Left(succeeded.Status == Conditions.True ? ttl?.Succeeded : ttl?.Failed, finished, now);
        return wait == TimeSpan.Zero
            ? new() { Delete = [resource] }
            : new() { Delete = Leftovers(resource, view), Status = status, RequeueAfter = wait };
    }

    /// <summary>How long the resource may still stay; zero when it is over, null when it stays for ever.</summary>
    private static TimeSpan? Left(string? ttl, DateTimeOffset finished, DateTimeOffset now)
    {
        if (ttl is null) return null;
        var left = finished + GepDuration.Parse(ttl) - now;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
