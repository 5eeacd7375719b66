using k8s.Models;

namespace Graft.LocalCluster.Controllers;

/// <summary>What controllers ask of pods, in the words of kubernetes/pkg/api/v1/pod.</summary>
internal static class Pods
{
    public static bool IsSucceeded(V1Pod pod) => pod.Status?.Phase == "Succeeded";

    public static bool IsFailed(V1Pod pod) => pod.Status?.Phase == "Failed";

    public static bool IsTerminal(V1Pod pod) => IsSucceeded(pod) || IsFailed(pod);

    public static bool IsDeleting(V1Pod pod) => pod.Metadata.DeletionTimestamp is not null;

    public static bool IsActive(V1Pod pod) => !IsTerminal(pod) && !IsDeleting(pod);

    public static V1PodCondition? Condition(V1Pod pod, string type) => pod.Status?.Conditions?.FirstOrDefault(c => c.Type == type);

    public static bool IsReady(V1Pod pod) => Condition(pod, "Ready")?.Status == "True";

    /// <summary>Ready for at least <paramref name="minReadySeconds"/>.</summary>
    public static bool IsAvailable(V1Pod pod, int minReadySeconds, DateTimeOffset now) =>
        IsReady(pod) && (minReadySeconds == 0
            || (Condition(pod, "Ready")?.LastTransitionTime is { } since && since + TimeSpan.FromSeconds(minReadySeconds) <= now));

    public static int Restarts(V1Pod pod) => (pod.Status?.ContainerStatuses ?? []).Sum(c => c.RestartCount);

    public static bool IsOwnedBy(V1Pod pod, string uid) => pod.Metadata.OwnerReferences?.Any(o => o.Controller == true && o.Uid == uid) == true;

    /// <summary>When its last container ended; the creation time when none says.</summary>
    public static DateTimeOffset FinishedAt(V1Pod pod)
    {
        var ends = (pod.Status?.ContainerStatuses ?? []).Concat(pod.Status?.InitContainerStatuses ?? [])
            .Select(c => c.State?.Terminated?.FinishedAt).OfType<DateTime>().ToList();
        return ends.Count > 0 ? ends.Max() : pod.Metadata.CreationTimestamp ?? DateTime.UnixEpoch;
    }

    public static V1OwnerReference ControllerReference(k8s.IKubernetesObject<V1ObjectMeta> owner) => new()
    {
        ApiVersion = owner.ApiVersion,
        Kind = owner.Kind,
        Name = owner.Metadata.Name,
        Uid = owner.Metadata.Uid,
        Controller = true,
        BlockOwnerDeletion = true,
    };

    /// <summary>A pod from a template, named by the server with the owner's name in front.</summary>
    public static V1Pod FromTemplate(V1PodTemplateSpec template, k8s.IKubernetesObject<V1ObjectMeta> owner) => new()
    {
        ApiVersion = "v1",
        Kind = "Pod",
        Metadata = new V1ObjectMeta
        {
            GenerateName = owner.Metadata.Name + "-",
            NamespaceProperty = owner.Metadata.NamespaceProperty,
            Labels = new Dictionary<string, string>(template.Metadata?.Labels ?? new Dictionary<string, string>()),
            Annotations = template.Metadata?.Annotations is { } annotations ? new Dictionary<string, string>(annotations) : null,
            Finalizers = template.Metadata?.Finalizers is { } finalizers ? [.. finalizers] : null,
            OwnerReferences = [ControllerReference(owner)],
        },
        Spec = template.Spec,
    };
}
