using Graft.Operator.Api;
using Graft.Operator.Pods;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.Rollout;

/// <summary>(resource, what was observed, now) -> what should be. Pure.</summary>
internal static class AdapterDeploymentPlanner
{
    /// <summary>What engines must be asked before the plan is made. Nothing while the spec itself is refused.</summary>
    public static IReadOnlyList<EngineCall> EngineCallsOf(AdapterDeployment resource, AdapterDeploymentView view, OperatorOptions options)
    {
        var placement = ServerPlacement.Of(resource, AdapterResolution.All(resource, view, options.Sources), options.Sources).Placement;
        return placement is null ? [] : EngineCall.Between(view, placement);
    }

    public static Plan<AdapterDeploymentStatus> Plan(
        AdapterDeployment resource, AdapterDeploymentView view, OperatorOptions options, DateTimeOffset now)
    {
        var adapters = AdapterResolution.All(resource, view, options.Sources);
        var (placement, errors) = ServerPlacement.Of(resource, adapters, options.Sources);
        if (placement is null) return Refused(resource, view, FieldError.Summary(errors), options, now);
        if (ConflictOf(resource, view) is { } conflict) return Refused(resource, view, (Reasons.NameConflict, conflict), options, now);

        var status = AdapterDeploymentStatusBuilder.Build(resource, view, adapters, placement, options, now);
        return new()
        {
            Apply = [ServerObjects.Deployment(resource, placement, Image(resource, options), options.Sources.Fetch),
                ServerObjects.Service(resource)],
            Status = status,
            Events = [.. Events(resource.Status, status)],
            StatusWhenRefused = e => AdapterDeploymentStatusBuilder.Refused(resource, view, Reasons.ApplyRefused, e.Message, now),
            RequeueAfter = Requeue(view, status, options),
        };
    }

    private static string Image(AdapterDeployment resource, OperatorOptions options) =>
        resource.Spec.Engine.Graft?.Image ?? options.ServerImage;

    // An engine that was just asked, or did not answer, is asked again soon; the rest wakes the controller by itself.
    private static TimeSpan Requeue(AdapterDeploymentView view, AdapterDeploymentStatus status, OperatorOptions options)
    {
        var loading = status.Adapters?.Any(a => a.Candidate?.State == CandidateState.Loading) == true;
        if (view.ReadyPods.Any() && loading) return TimeSpan.FromSeconds(1);
        return view.Starting.Count > 0 ? options.ProgressInterval : options.RetryInterval;
    }

    private static Plan<AdapterDeploymentStatus> Refused(
        AdapterDeployment resource, AdapterDeploymentView view, (string Reason, string Message) error, OperatorOptions options,
        DateTimeOffset now)
    {
        var status = AdapterDeploymentStatusBuilder.Refused(resource, view, error.Reason, error.Message, now);
        return new() { Status = status, Events = [.. Events(resource.Status, status)], RequeueAfter = options.RetryInterval };
    }

    private static string? ConflictOf(AdapterDeployment resource, AdapterDeploymentView view)
    {
        if (view.Deployment is { } deployment && !deployment.IsOwnedBy(resource)) return Taken("Deployment");
        return view.Service is { } service && !service.IsOwnedBy(resource) ? Taken("Service") : null;

        string Taken(string kind) =>
            $"a {kind} '{resource.Metadata.Name}' that this AdapterDeployment did not make has its name; rename one of them";
    }

    private static IEnumerable<PlannedEvent> Events(AdapterDeploymentStatus? before, AdapterDeploymentStatus after)
    {
        foreach (var adapter in after.Adapters ?? [])
        {
            var old = before?.Adapters?.FirstOrDefault(a => a.Name == adapter.Name);
            if (adapter.Current is { } current && (old?.Current?.Uri != current.Uri || old.Current?.Digest != current.Digest))
                yield return new("AdapterServed", $"'{adapter.Name}' answers with {current.Uri}");
            if (adapter.Candidate is { State: CandidateState.Failed } failed && old?.Candidate?.Message != failed.Message)
                yield return new("AdapterFailed", $"'{adapter.Name}': {failed.Message}", EventType.Warning);
        }
        if (before?.Phase == after.Phase) yield break;
        var ready = after.Conditions.Find(ConditionTypes.Ready)!;
        yield return after.Phase is AdapterDeploymentPhase.Failed or AdapterDeploymentPhase.Degraded
            ? new(ready.Reason, ready.Message, EventType.Warning)
            : new(after.Phase!, ready.Message);
    }
}
