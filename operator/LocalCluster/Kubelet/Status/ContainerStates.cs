using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Status;

/// <summary>The three states of a container, as they stand in a pod's status.</summary>
internal static class ContainerStates
{
    public static V1ContainerState Waiting(string reason, string? message = null) =>
        new() { Waiting = new V1ContainerStateWaiting { Reason = reason, Message = message } };

    public static V1ContainerState Running(DateTimeOffset since) =>
        new() { Running = new V1ContainerStateRunning { StartedAt = since.UtcDateTime } };

    public static V1ContainerState Terminated(
        int exitCode, string reason, string? message, string containerId, DateTimeOffset startedAt, DateTimeOffset finishedAt) => new()
        {
            Terminated = new V1ContainerStateTerminated
            {
                ExitCode = exitCode, Reason = reason, Message = message, ContainerID = containerId,
                StartedAt = startedAt.UtcDateTime, FinishedAt = finishedAt.UtcDateTime,
            },
        };

    /// <summary>A container that has not begun.</summary>
    public static V1ContainerStatus New(V1Container container, string reason) => new()
    {
        Name = container.Name, Image = container.Image ?? "", ImageID = "", Ready = false, Started = false, RestartCount = 0, State = Waiting(reason),
    };

    /// <summary>
    /// What is known of a container from before this kubelet started: one that ran is not here any more (pkg/kubelet/kubelet_pods.go,
    /// convertToAPIContainerStatuses). Null for one that had not begun.
    /// </summary>
    public static V1ContainerStatus? Found(V1ContainerStatus? known, DateTimeOffset now)
    {
        if (known?.ContainerID is not { Length: > 0 } id) return null;
        const string Lost = "The container could not be located when the pod was terminated";
        var ended = known.State?.Terminated ?? (known.State?.Running is null ? known.LastState?.Terminated : null)
            ?? Terminated(137, "ContainerStatusUnknown", Lost, id, known.State?.Running?.StartedAt ?? now, now).Terminated;
        return new V1ContainerStatus
        {
            Name = known.Name, Image = known.Image, ImageID = known.ImageID, ContainerID = id, Ready = false, Started = false,
            RestartCount = known.RestartCount, LastState = known.LastState, State = new V1ContainerState { Terminated = ended },
        };
    }
}
