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
}
