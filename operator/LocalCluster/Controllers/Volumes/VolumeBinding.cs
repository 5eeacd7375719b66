using k8s.Models;

namespace Graft.LocalCluster.Controllers.Volumes;

/// <summary>Which volume a claim gets, and whether a claim may go (pkg/controller/volume/persistentvolume, pvcprotection).</summary>
internal static class VolumeBinding
{
    /// <summary>Holds a claim for as long as a pod uses it.</summary>
    public const string Finalizer = "kubernetes.io/pvc-protection";

    /// <summary>The smallest free volume that has the claim's class, modes and size, or the one that is kept for it; null where there is none.</summary>
    public static V1PersistentVolume? Find(V1PersistentVolumeClaim claim, IEnumerable<V1PersistentVolume> volumes)
    {
        var possible = volumes.Where(v => v.Metadata.DeletionTimestamp is null && Fits(claim, v)).ToList();
        return possible.Find(v => v.Spec.ClaimRef is not null) ?? possible.OrderBy(Size).FirstOrDefault();
    }

    /// <summary>Whether a scheduled pod names the claim. Also one that has ended: it is there until it is deleted.</summary>
    public static bool IsUsed(V1PersistentVolumeClaim claim, IEnumerable<V1Pod> pods) => pods.Any(p => p.Spec.NodeName is { Length: > 0 } && Uses(p, claim));

    public static bool Uses(V1Pod pod, V1PersistentVolumeClaim claim) => pod.Metadata.NamespaceProperty == claim.Metadata.NamespaceProperty
        && pod.Spec.Volumes?.Any(v => v.PersistentVolumeClaim?.ClaimName == claim.Metadata.Name) == true;

    public static bool IsFor(V1PersistentVolume volume, V1PersistentVolumeClaim claim) => volume.Spec.ClaimRef is { } reference
        && reference.Name == claim.Metadata.Name && reference.NamespaceProperty == claim.Metadata.NamespaceProperty
        && reference.Uid is null or "" || volume.Spec.ClaimRef?.Uid == claim.Metadata.Uid;

    private static bool Fits(V1PersistentVolumeClaim claim, V1PersistentVolume volume) =>
        (volume.Spec.ClaimRef is null || IsFor(volume, claim))
        && (volume.Spec.StorageClassName ?? "") == (claim.Spec.StorageClassName ?? "")
        && (volume.Spec.VolumeMode ?? "Filesystem") == (claim.Spec.VolumeMode ?? "Filesystem")
        && claim.Spec.AccessModes.All(mode => volume.Spec.AccessModes?.Contains(mode) == true)
        && Size(volume) >= (claim.Spec.Resources?.Requests?.TryGetValue("storage", out var asked) == true ? asked.ToDecimal() : 0);

    private static decimal Size(V1PersistentVolume volume) => volume.Spec.Capacity?.TryGetValue("storage", out var size) == true ? size.ToDecimal() : 0;
}
