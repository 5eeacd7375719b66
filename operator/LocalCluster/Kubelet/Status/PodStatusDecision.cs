using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Status;

/// <summary>A pod that cannot run (on) at all, whatever its containers say.</summary>
internal sealed record PodRejection(string Reason, string Message);

internal enum PodStage { Live, Stopping, Over }

/// <summary>What a status is made of.</summary>
/// <param name="Pod">As the API says it by now: its generation, and conditions of others.</param>
/// <param name="Before">The status decided last, whose conditions keep their times where nothing changed.</param>
/// <param name="HasSandbox">Its volumes and address are there, so that containers can start.</param>
/// <param name="Stage">Whether the pod goes on, is being stopped (nothing is restarted, whatever its policy), or is over.</param>
internal sealed record PodFacts(
    V1Pod Pod, V1PodStatus? Before, IReadOnlyList<V1ContainerStatus> Inits, IReadOnlyList<V1ContainerStatus> Containers, string PodIp,
    DateTimeOffset StartedAt, DateTimeOffset Now, bool HasSandbox = true, PodStage Stage = PodStage.Live, PodRejection? Rejection = null)
{
    /// <summary>Names of the init containers that go on beside the containers.</summary>
    public IReadOnlySet<string> Sidecars { get; } =
        (Pod.Spec?.InitContainers ?? []).Where(c => c.RestartPolicy == "Always").Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
}

/// <summary>From the states of a pod's containers to the pod's status (kubernetes/pkg/kubelet/kubelet_pods.go, generateAPIPodStatus).</summary>
internal static class PodStatusDecision
{
    public static V1PodStatus Decide(PodFacts facts)
    {
        var policy = facts.Stage == PodStage.Live ? facts.Pod.Spec.RestartPolicy ?? "Always" : "Never";
        var phase = Phase(policy, facts.Inits, facts.Containers, facts.Sidecars);
        // Stopped before its containers ran: on a cluster, too, such a pod has failed.
        if (facts.Stage == PodStage.Over && phase is not "Succeeded") phase = "Failed";
        if (facts.Rejection is not null) phase = "Failed";
        // No pod is over while something of it runs (pkg/kubelet/status/status_manager.go, mergePodStatus).
        if (phase is "Succeeded" or "Failed" && facts.Inits.Concat(facts.Containers).Any(c => c.State?.Running is not null)) phase = "Running";
        return new V1PodStatus
        {
            Phase = phase,
            Reason = facts.Rejection?.Reason,
            Message = facts.Rejection?.Message,
            ObservedGeneration = facts.Pod.Metadata.Generation,
            HostIP = "127.0.0.1",
            HostIPs = [new V1HostIP { Ip = "127.0.0.1" }],
            PodIP = facts.HasSandbox ? facts.PodIp : null,
            PodIPs = facts.HasSandbox ? [new V1PodIP { Ip = facts.PodIp }] : null,
            StartTime = facts.StartedAt.UtcDateTime,
            QosClass = facts.Pod.Status?.QosClass,
            InitContainerStatuses = facts.Inits.Count > 0 ? [.. facts.Inits] : null,
            ContainerStatuses = [.. facts.Containers],
            Conditions = PodConditions.Decide(facts, phase),
        };
    }

    /// <summary>getPhase of the kubelet.</summary>
    /// <param name="sidecars">Names of those of <paramref name="inits"/> that do not count once they ran.</param>
    public static string Phase(
        string policy, IReadOnlyList<V1ContainerStatus> inits, IReadOnlyList<V1ContainerStatus> containers, IReadOnlySet<string>? sidecars = null)
    {
        var own = inits.Where(c => sidecars?.Contains(c.Name) != true).ToList();
        if (own.Any(c => c.State?.Terminated is { ExitCode: not 0 }) && policy == "Never") return "Failed";
        var begun = containers.Any(c => c.State?.Running is not null || c.State?.Terminated is not null || c.LastState?.Terminated is not null);
        if (!begun && (own.Any(c => c.State?.Terminated is not { ExitCode: 0 }) || inits.Except(own).Any(c => c.Started != true))) return "Pending";

        // A container that waits for its restart counts as what it was.
        var ended = containers.Select(c => c.State?.Terminated ?? (c.State?.Running is null ? c.LastState?.Terminated : null)).ToList();
        if (containers.Any(c => c.State?.Running is null && c.State?.Terminated is null && c.LastState?.Terminated is null)) return "Pending";
        if (containers.Any(c => c.State?.Running is not null) || containers.Any(c => c.State?.Waiting is not null)) return "Running";
        if (policy == "Always") return "Running";
        if (ended.All(t => t?.ExitCode == 0)) return "Succeeded";
        return policy == "Never" ? "Failed" : "Running";
    }
}
