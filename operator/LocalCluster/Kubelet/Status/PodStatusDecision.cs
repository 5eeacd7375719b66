using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Status;

/// <summary>A pod that cannot run at all, whatever its containers say.</summary>
internal sealed record PodRejection(string Reason, string Message);

internal enum PodStage { Live, Stopping, Over }

/// <summary>From the states of a pod's containers to the pod's status (kubernetes/pkg/kubelet/kubelet_pods.go, getPhase).</summary>
internal static class PodStatusDecision
{
    /// <param name="before">The status decided last, whose conditions keep their times where nothing changed.</param>
    /// <param name="stage">Whether the pod goes on, is being stopped (nothing is restarted, whatever its policy), or is over.</param>
    public static V1PodStatus Decide(
        V1Pod pod, V1PodStatus? before, IReadOnlyList<V1ContainerStatus> inits, IReadOnlyList<V1ContainerStatus> containers, string podIp, DateTimeOffset startedAt,
        DateTimeOffset now, PodStage stage = PodStage.Live, PodRejection? rejection = null)
    {
        var phase = rejection is null ? Phase(stage == PodStage.Live ? pod.Spec.RestartPolicy ?? "Always" : "Never", inits, containers) : "Failed";
        // Stopped before its containers ran: on a cluster, too, such a pod has failed.
        if (stage == PodStage.Over && phase is not "Succeeded") phase = "Failed";
        var status = new V1PodStatus
        {
            Phase = phase,
            Reason = rejection?.Reason,
            Message = rejection?.Message,
            HostIP = "127.0.0.1",
            PodIP = podIp,
            PodIPs = [new V1PodIP { Ip = podIp }],
            StartTime = startedAt.UtcDateTime,
            QosClass = pod.Status?.QosClass,
            InitContainerStatuses = inits.Count > 0 ? [.. inits] : null,
            ContainerStatuses = [.. containers],
        };
        var over = phase is "Succeeded" or "Failed";
        var notReady = containers.Where(c => !c.Ready).Select(c => c.Name).ToList();
        var uninitialized = inits.Where(c => c.State?.Terminated is not { ExitCode: 0 }).Select(c => c.Name).ToList();
        var (reason, message) = phase == "Succeeded" ? ("PodCompleted", null)
            : ("ContainersNotReady", $"containers with unready status: [{string.Join(' ', notReady)}]");
        var ready = !over && notReady.Count == 0;
        status.Conditions =
        [
            Condition(before ?? pod.Status, "Initialized", uninitialized.Count == 0, "ContainersNotInitialized", $"containers with incomplete status: [{string.Join(' ', uninitialized)}]", now),
            Condition(before ?? pod.Status, "Ready", ready, reason, message, now),
            Condition(before ?? pod.Status, "ContainersReady", ready, reason, message, now),
            Condition(before ?? pod.Status, "PodScheduled", true, null, null, now),
        ];
        return status;
    }

    public static string Phase(string policy, IReadOnlyList<V1ContainerStatus> inits, IReadOnlyList<V1ContainerStatus> containers)
    {
        if (inits.Any(c => c.State?.Terminated is { ExitCode: not 0 }) && policy == "Never") return "Failed";
        if (inits.Any(c => c.State?.Terminated is not { ExitCode: 0 })) return "Pending";

        // A container that waits for its restart counts as what it was.
        var ended = containers.Select(c => c.State?.Terminated ?? (c.State?.Running is null ? c.LastState?.Terminated : null)).ToList();
        if (containers.Any(c => c.State?.Running is null && c.State?.Terminated is null && c.LastState?.Terminated is null)) return "Pending";
        if (containers.Any(c => c.State?.Running is not null) || containers.Any(c => c.State?.Waiting is not null)) return "Running";
        if (policy == "Always") return "Running";
        if (ended.All(t => t?.ExitCode == 0)) return "Succeeded";
        return policy == "Never" ? "Failed" : "Running";
    }

    private static V1PodCondition Condition(V1PodStatus? before, string type, bool value, string? reason, string? message, DateTimeOffset now)
    {
        var text = value ? "True" : "False";
        var known = before?.Conditions?.FirstOrDefault(c => c.Type == type);
        return new V1PodCondition
        {
            Type = type,
            Status = text,
            // The empty text takes an earlier reason away: a patch keeps what it does not name.
            Reason = value ? "" : reason,
            Message = value ? "" : message ?? "",
            LastTransitionTime = known?.Status == text ? known.LastTransitionTime : now.UtcDateTime,
        };
    }
}
