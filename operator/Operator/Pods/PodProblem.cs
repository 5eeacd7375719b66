using Graft.Operator.Api;
using k8s.Models;

namespace Graft.Operator.Pods;

/// <summary>Why a pod does not run yet, in Kubernetes' own words: what a person would otherwise look for with describe.</summary>
internal static class PodProblem
{
    private static readonly string[] Ordinary = ["ContainerCreating", "PodInitializing"];

    // Every word by which a kubelet says that it has no image, and that it has one but makes no container of it.
    private static readonly string[] ImageFailures =
        ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable"];

    private static readonly string[] CreationFailures = ["CreateContainerConfigError", "CreateContainerError", "RunContainerError"];

    /// <summary>Null when nothing is wrong as far as the pod's status says.</summary>
    public static string? Of(V1Pod pod)
    {
        var scheduled = pod.Status?.Conditions?.FirstOrDefault(c => c.Type == "PodScheduled");
        if (scheduled?.Status == "False") return Say(pod, scheduled.Reason, scheduled.Message);
        foreach (var container in pod.Status?.ContainerStatuses ?? [])
        {
            if (container.State?.Waiting is { } waiting && !Ordinary.Contains(waiting.Reason))
                return Say(pod, waiting.Reason, LastWords(container) ?? waiting.Message);
            if (container.State?.Waiting is { Message.Length: > 0 } slow) return Say(pod, slow.Reason, slow.Message);
            if (container.State?.Terminated is { ExitCode: not 0 } ended)
                return Say(pod, $"ended with code {ended.ExitCode}", ended.Message);
        }
        return null;
    }

    /// <summary>
    /// The reason for which a container was never started, in words that do not change between two tries of the kubelet; null when
    /// it runs, ran, or is on its way.
    /// </summary>
    public static string? StartFailure(V1ContainerStatus container) => container.State?.Waiting?.Reason switch
    {
        { } reason when ImageFailures.Contains(reason) => Reasons.ImagePullFailed,
        { } reason when CreationFailures.Contains(reason) => Reasons.ContainerCreationFailed,
        _ => null,
    };

    /// <summary>What the container itself said before it ended tells more than that it is not started again yet.</summary>
    private static string? LastWords(V1ContainerStatus container) =>
        container.LastState?.Terminated?.Message is { Length: > 0 } said ? said : null;

    private static string Say(V1Pod pod, string? reason, string? message) =>
        $"pod {pod.Metadata.Name}: {reason}{(string.IsNullOrWhiteSpace(message) ? "" : $": {message.Trim()}")}";
}
