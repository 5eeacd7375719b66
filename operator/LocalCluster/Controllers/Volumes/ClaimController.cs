using System.Text.Json.Nodes;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Volumes;

/// <summary>Gives each PersistentVolumeClaim a folder of this machine: a PersistentVolume with that hostPath, bound to it.</summary>
internal sealed class ClaimController(ControlPlane plane, EventRecorder events, ClaimFolders folders) : IEntityController<V1PersistentVolumeClaim>
{
    private readonly Informer<V1PersistentVolume> _volumes = plane.Informers.Get<V1PersistentVolume>();

    public static Controller<V1PersistentVolumeClaim> Create(ControlPlane plane, EventRecorder events, ClaimFolders folders) => new(
        plane.Informers, new ClaimController(plane, events, folders),
        new ControllerOptions<V1PersistentVolumeClaim> { Predicate = (_, _) => true }, plane.Time, plane.Loggers);

    public async Task<ReconciliationResult<V1PersistentVolumeClaim>> ReconcileAsync(V1PersistentVolumeClaim entity, CancellationToken cancellationToken)
    {
        if (entity.Status?.Phase == "Bound") return ReconciliationResult<V1PersistentVolumeClaim>.Success(entity);
        var volume = entity.Spec.VolumeName is { Length: > 0 } named
            ? _volumes.Find(named)
            : await ProvisionAsync(entity, cancellationToken).ConfigureAwait(false);
        if (volume is null) return ReconciliationResult<V1PersistentVolumeClaim>.Failure(entity, $"volume \"{entity.Spec.VolumeName}\" not found");
        if (entity.Spec.VolumeName is null or "")
        {
            var patch = new JsonObject { ["spec"] = new JsonObject { ["volumeName"] = volume.Metadata.Name } };
            entity = await plane.Client.Resource<V1PersistentVolumeClaim>().PatchAsync(
                entity.Metadata.Name, entity.Metadata.NamespaceProperty, Patch.Merge(patch), ct: cancellationToken).ConfigureAwait(false);
        }
        entity.Status = new V1PersistentVolumeClaimStatus
        {
            Phase = "Bound", AccessModes = volume.Spec.AccessModes, Capacity = volume.Spec.Capacity,
        };
        await plane.UpdateStatusAsync(entity, cancellationToken).ConfigureAwait(false);
        volume = ObjectJson.Clone(volume);
        volume.Status = new V1PersistentVolumeStatus { Phase = "Bound" };
        await plane.UpdateStatusAsync(volume, cancellationToken).ConfigureAwait(false);
        events.Publish(entity, "ProvisioningSucceeded", $"Successfully provisioned volume {volume.Metadata.Name}");
        return ReconciliationResult<V1PersistentVolumeClaim>.Success(entity);
    }

    public async Task<ReconciliationResult<V1PersistentVolumeClaim>> DeletedAsync(V1PersistentVolumeClaim entity, CancellationToken cancellationToken)
    {
        await plane.Client.Resource<V1PersistentVolume>().DeleteAsync(VolumeName(entity), ct: cancellationToken).ConfigureAwait(false);
        var folder = folders.Folder(entity.Metadata.NamespaceProperty, entity.Metadata.Name);
        // A folder that a person named is theirs.
        if (!folders.IsBinding(entity.Metadata.Name) && Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        return ReconciliationResult<V1PersistentVolumeClaim>.Success(entity);
    }

    private static string VolumeName(V1PersistentVolumeClaim claim) => $"pvc-{claim.Metadata.Uid}";

    private async Task<V1PersistentVolume> ProvisionAsync(V1PersistentVolumeClaim claim, CancellationToken cancel)
    {
        var name = VolumeName(claim);
        if (_volumes.Find(name) is { } known) return known;
        var folder = folders.Folder(claim.Metadata.NamespaceProperty, claim.Metadata.Name);
        Directory.CreateDirectory(folder);
        return await plane.CreateAsync(
            new V1PersistentVolume
            {
                ApiVersion = "v1",
                Kind = "PersistentVolume",
                Metadata = new V1ObjectMeta { Name = name },
                Spec = new V1PersistentVolumeSpec
                {
                    AccessModes = claim.Spec.AccessModes,
                    Capacity = claim.Spec.Resources?.Requests ?? new Dictionary<string, ResourceQuantity> { ["storage"] = new("1Gi") },
                    StorageClassName = claim.Spec.StorageClassName,
                    VolumeMode = claim.Spec.VolumeMode ?? "Filesystem",
                    PersistentVolumeReclaimPolicy = folders.IsBinding(claim.Metadata.Name) ? "Retain" : "Delete",
                    HostPath = new V1HostPathVolumeSource { Path = folder, Type = "DirectoryOrCreate" },
                    ClaimRef = new V1ObjectReference
                    {
                        ApiVersion = "v1", Kind = "PersistentVolumeClaim", Name = claim.Metadata.Name,
                        NamespaceProperty = claim.Metadata.NamespaceProperty, Uid = claim.Metadata.Uid,
                    },
                },
            }, cancel).ConfigureAwait(false);
    }
}
