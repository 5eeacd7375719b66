using Graft.Contract;
using Graft.Operator.Api;
using Graft.Operator.Pods;
using k8s.Models;
using Graft.Runtime;

namespace Graft.Operator.Rollout;

/// <summary>The words of <c>status.phase</c>.</summary>
internal static class AdapterDeploymentPhase
{
    public const string Pending = "Pending";
    public const string Progressing = "Progressing";
    public const string Serving = "Serving";
    public const string Degraded = "Degraded";
    public const string Failed = "Failed";
}

/// <summary>(resource, what was observed) -> status. Pure.</summary>
internal static class AdapterDeploymentStatusBuilder
{
    public static AdapterDeploymentStatus Build(
        AdapterDeployment resource, AdapterDeploymentView view, IReadOnlyList<AdapterResolution> resolutions,
        ServerPlacement placement, OperatorOptions options, DateTimeOffset now)
    {
        var adapters = resolutions.Select(r => Adapter(resource, view, r, placement)).ToList();
        var rollout = RolloutOf(resource, view);
        var (phase, conditions) = Describe(resource, view, resolutions, adapters, rollout);
        var served = adapters.Count(a => a.Current is not null && a.Candidate is null && a.Replicas!.Loaded > 0);
        return Common(resource, phase, conditions, now) with
        {
            AdapterSummary = $"{served}/{adapters.Count}",
            Endpoint = Endpoint(resource, view, options),
            Adapters = adapters.Count == 0 ? null : adapters,
            Replicas = view.Deployment?.Status?.Replicas ?? 0,
            ReadyReplicas = view.ReadyPods.Count(),
        };
    }

    /// <summary>Nothing is done to the pods that are there: whether they serve is said as it is.</summary>
    public static AdapterDeploymentStatus Refused(
        AdapterDeployment resource, AdapterDeploymentView view, string reason, string message, DateTimeOffset now)
    {
        var (phase, conditions) = Standing((reason, message), IsAvailable(resource, view));
        return Common(resource, phase, conditions, now) with
        {
            Replicas = view.Deployment?.Status?.Replicas ?? 0,
            ReadyReplicas = view.ReadyPods.Count(),
        };
    }

    private static AdapterDeploymentStatus Common(
        AdapterDeployment resource, string phase, IReadOnlyList<V1Condition> conditions, DateTimeOffset now) =>
        (resource.Status ?? new()) with
        {
            ObservedGeneration = resource.Metadata.Generation,
            Phase = phase,
            Engine = resource.Spec.Engine.Name,
            Selector = ServerObjects.SelectorText(resource),
            Conditions = Graft.Runtime.Conditions.Set(resource.Status?.Conditions, resource.Metadata.Generation, now, conditions),
        };

    private static AdapterStatus Adapter(
        AdapterDeployment resource, AdapterDeploymentView view, AdapterResolution resolution, ServerPlacement placement)
    {
        var before = resource.Status?.Adapters?.FirstOrDefault(a => a.Name == resolution.Name);
        var ready = view.ReadyPods.ToList();
        var loaded = placement.Adapters.TryGetValue(resolution.Name, out var path)
            ? ready.Count(p => view.Engines.TryGetValue(p.Metadata.Name, out var engine) && EngineCall.Holds(engine, resolution.Name, path))
            : 0;
        var everywhere = ready.Count > 0 && loaded == ready.Count;
        var current = everywhere && resolution.Wanted is { } wanted
            ? new RevisionStatus { Digest = wanted.Digest, Uri = wanted.Uri, FineTuneJob = wanted.FineTuneJob }
            : before?.Current;
        var idle = resource.Spec.Replicas == 0 && resolution.Failure is null && resolution.Waiting is null;
        return new()
        {
            Name = resolution.Name,
            Current = current,
            Candidate = idle ? null : Candidate(view, resolution, everywhere, loaded, ready.Count),
            Replicas = new() { Wanted = resource.Spec.Replicas, Loaded = loaded },
        };
    }

    private static CandidateStatus? Candidate(
        AdapterDeploymentView view, AdapterResolution resolution, bool everywhere, int loaded, int ready)
    {
        if (resolution.Failure is { } failure) return new() { State = CandidateState.Failed, Message = failure.Message };
        if (resolution.Waiting is { } waiting) return new() { State = CandidateState.Waiting, Message = waiting };
        if (everywhere) return null;
        var troubles = view.Troubles.Where(t => t.Adapter == resolution.Name).ToList();
        var refusal = troubles.FirstOrDefault(t => t.IsRefusal);
        var silent = view.Engines.Values.FirstOrDefault(e => e.Error is not null)?.Error;
        return new()
        {
            Digest = resolution.Wanted?.Digest,
            Uri = resolution.Wanted?.Uri,
            FineTuneJob = resolution.Wanted?.FineTuneJob,
            State = refusal is null ? CandidateState.Loading : CandidateState.Failed,
            Message = (refusal ?? troubles.FirstOrDefault()) is { } trouble
                ? $"pod {trouble.Pod}: {trouble.Message}"
                : silent ?? $"loaded in {loaded} of {ready} ready pods",
        };
    }

    private static (string Phase, IReadOnlyList<V1Condition> Conditions) Describe(
        AdapterDeployment resource, AdapterDeploymentView view, IReadOnlyList<AdapterResolution> resolutions,
        List<AdapterStatus> adapters, Rollout rollout)
    {
        var failures = adapters.Where(a => a.Candidate?.State == CandidateState.Failed).ToList();
        var failure = rollout.Failure
            ?? (failures.Count == 0
                ? null
                : (ReasonOf(failures[0], resolutions), string.Join("; ", failures.Select(f => f.Candidate!.Message))));
        var pending = rollout.Pending
            ?? adapters.FirstOrDefault(a => a.Candidate is { State: not CandidateState.Failed })?.Candidate?.Message;
        var available = IsAvailable(resource, view);
        var first = resource.Status?.Conditions.IsTrue(ConditionTypes.Available) != true;
        if (failure is { } stalled) return Standing(stalled, available);
        if (pending is not null)
        {
            var phase = !available && first ? AdapterDeploymentPhase.Pending : AdapterDeploymentPhase.Progressing;
            return (phase, UnderWay(phase, pending, available));
        }
        var message = $"{Count(adapters.Count, "adapter")} in {Count(view.ReadyPods.Count(), "pod")}";
        return (AdapterDeploymentPhase.Serving, Serving(message, available));
    }

    private static string Count(int number, string noun) => number == 1 ? $"1 {noun}" : $"{number} {noun}s";

    private static string ReasonOf(AdapterStatus adapter, IReadOnlyList<AdapterResolution> resolutions) =>
        resolutions.First(r => r.Name == adapter.Name).Failure?.Reason ?? Reasons.LoadFailed;

    private static IReadOnlyList<V1Condition> UnderWay(string phase, string message, bool available) =>
    [
        Conditions.New(ConditionTypes.Ready, false, phase, message),
        Conditions.New(ConditionTypes.Reconciling, true, phase, message),
        Conditions.New(ConditionTypes.Stalled, false, Reasons.NotStalled),
        Available(available),
        Conditions.New(ConditionTypes.Progressing, true, phase, message),
    ];

    private static IReadOnlyList<V1Condition> Serving(string message, bool available) =>
    [
        Conditions.New(ConditionTypes.Ready, true, AdapterDeploymentPhase.Serving, message),
        Conditions.New(ConditionTypes.Reconciling, false, AdapterDeploymentPhase.Serving),
        Conditions.New(ConditionTypes.Stalled, false, Reasons.NotStalled),
        Available(available),
        Conditions.New(ConditionTypes.Progressing, true, AdapterDeploymentPhase.Serving, message),
    ];

    /// <summary>
    /// It does not come further without somebody. Reconciling is False even where something else is still awaited: kstatus
    /// reads it first, and a failure beside it would not be seen.
    /// </summary>
    private static (string Phase, IReadOnlyList<V1Condition> Conditions) Standing((string Reason, string Message) why, bool available) =>
        (available ? AdapterDeploymentPhase.Degraded : AdapterDeploymentPhase.Failed,
        [
            Conditions.New(ConditionTypes.Ready, false, why.Reason, why.Message),
            Conditions.New(ConditionTypes.Reconciling, false, why.Reason),
            Conditions.New(ConditionTypes.Stalled, true, why.Reason, why.Message),
            Available(available),
            Conditions.New(ConditionTypes.Progressing, false, why.Reason, why.Message),
        ]);

    private static bool IsAvailable(AdapterDeployment resource, AdapterDeploymentView view) =>
        view.ReadyPods.Any() || resource.Spec.Replicas == 0;

    private static V1Condition Available(bool available) =>
        Conditions.New(ConditionTypes.Available, available, available ? "PodsReady" : "NoPodReady");

    /// <summary>How far the pods are: why not all of them are as wanted yet, and why they never will be.</summary>
    private sealed record Rollout(string? Pending, (string Reason, string Message)? Failure);

    private static Rollout RolloutOf(AdapterDeployment resource, AdapterDeploymentView view)
    {
        var troubled = view.Pods.Where(p => !AdapterDeploymentView.IsReady(p)).ToList();
        var hopeless = troubled.FirstOrDefault(IsHopeless);
        var failure = hopeless is null ? ((string, string)?)null : (Reasons.PodFailing, PodProblem.Of(hopeless)!);
        if (view.Deployment is not { } deployment) return new("the Deployment is being made", failure);
        var wanted = resource.Spec.Replicas;
        var status = deployment.Status ?? new();
        var done = (status.ObservedGeneration ?? 0) >= (deployment.Metadata.Generation ?? 0)
            && (status.UpdatedReplicas ?? 0) == wanted && (status.Replicas ?? 0) == wanted && (status.ReadyReplicas ?? 0) == wanted
            && deployment.Spec.Replicas == wanted && view.ReadyPods.Count() == wanted;
        if (done) return new(null, failure);
        var problem = troubled.Select(PodProblem.Of).FirstOrDefault(p => p is not null)
            ?? view.Starting.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"pod {s.Key}: {s.Value}").FirstOrDefault();
        return new(problem ?? $"{status.ReadyReplicas ?? 0} of {wanted} pods are ready", failure);
    }

    // A container that ended twice in a row will not mend itself; Kubernetes goes on trying, but a person should look.
    private static bool IsHopeless(V1Pod pod) => pod.Status?.ContainerStatuses?.Any(c =>
        c.State?.Waiting?.Reason == "CrashLoopBackOff" || PodProblem.StartFailure(c) is not null
        || (c.RestartCount >= 2 && c.State?.Terminated is not null)) == true;

    private static string? Endpoint(AdapterDeployment resource, AdapterDeploymentView view, OperatorOptions options)
    {
        if (options.ServiceAddress == ServiceAddress.Dns)
            return $"http://{resource.Metadata.Name}.{resource.Metadata.NamespaceProperty}.svc:{ContractPorts.Server}";
        var address = view.Service?.Spec.ClusterIP;
        return string.IsNullOrEmpty(address) || address == "None" ? resource.Status?.Endpoint : $"http://{address}:{ContractPorts.Server}";
    }
}
