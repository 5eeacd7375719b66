using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Status;

/// <summary>
/// Pods that ran when this machine's programs ended with the cluster, as a node's pods end with a reboot. One that may be started again is;
/// of one that may not, nobody knows how its containers ended, and so it has failed (kubernetes/pkg/kubelet/kuberuntime,
/// computePodActions; kubelet_pods.go, ContainerStatusUnknown).
/// </summary>
internal static class LostPods
{
    private const int Killed = 137;

    /// <returns>The status of a pod that has failed by it; null for one that is to be run.</returns>
    public static V1PodStatus? Decide(V1Pod pod, DateTimeOffset now)
    {
        var inits = pod.Status?.InitContainerStatuses ?? [];
        var containers = pod.Status?.ContainerStatuses ?? [];
        if (pod.Spec.RestartPolicy != "Never" || !inits.Concat(containers).Any(HasBegun)) return null;
        return PodStatusDecision.Decide(new PodFacts(
            pod, pod.Status, [.. inits.Select(c => Ended(c, now))], [.. containers.Select(c => Ended(c, now))], pod.Status?.PodIP ?? "",
            new DateTimeOffset(pod.Status?.StartTime?.ToUniversalTime() ?? now.UtcDateTime), now, Stage: PodStage.Over));
    }

    private static bool HasBegun(V1ContainerStatus status) => status.State?.Running is not null || status.State?.Terminated is not null;

    private static V1ContainerStatus Ended(V1ContainerStatus status, DateTimeOffset now) => status.State?.Terminated is not null ? status : new()
    {
        Name = status.Name, Image = status.Image, ImageID = status.ImageID, ContainerID = status.ContainerID, RestartCount = status.RestartCount,
        Ready = false, Started = false, LastState = status.LastState,
        State = new V1ContainerState
        {
            Terminated = new V1ContainerStateTerminated
            {
                ExitCode = Killed, Reason = "ContainerStatusUnknown",
                Message = "The container could not be located when the pod was terminated",
                StartedAt = status.State?.Running?.StartedAt, FinishedAt = now.UtcDateTime, ContainerID = status.ContainerID,
            },
        },
    };
}
