using System.Text.Json.Nodes;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Volumes;

/// <summary>Gives each PersistentVolumeClaim a folder of this machine: a PersistentVolume with that hostPath, bound to it.</summary>
internal sealed class ClaimController(ControlPlane plane, EventRecorder events, ClaimFolders folders) : IEntityController<V1PersistentVolumeClaim>
{
    private readonly Informer<V1PersistentVolume> _volumes = plane.Informers.Get<V1PersistentVolume>();
    private readonly Informer<V1Pod> _pods = plane.Informers.Get<V1Pod>();

    public static Controller<V1PersistentVolumeClaim> Create(ControlPlane plane, EventRecorder events, ClaimFolders folders)
    {
        var claims = plane.Informers.Get<V1PersistentVolumeClaim>();
        return new Controller<V1PersistentVolumeClaim>(
                plane.Informers, new ClaimController(plane, events, folders),
                new ControllerOptions<V1PersistentVolumeClaim> { Predicate = (_, _) => true, ReconcileTerminating = true }, plane.Time, plane.Loggers)
            .Watches<V1Pod>(pod => claims.List(pod.Metadata.NamespaceProperty)
                .Where(c => c.Metadata.DeletionTimestamp is not null && VolumeBinding.Uses(pod, c)).Select(c => ObjectKey.Of(c)))
            .Watches<V1PersistentVolume>(_ => claims.List().Where(c => c.Status?.Phase == "Pending").Select(c => ObjectKey.Of(c)));
    }

    public async Task<ReconciliationResult<V1PersistentVolumeClaim>> ReconcileAsync(V1PersistentVolumeClaim entity, CancellationToken cancellationToken)
    {
        if (entity.Metadata.DeletionTimestamp is not null)
        {
            await LetGoAsync(entity, cancellationToken).ConfigureAwait(false);
            return ReconciliationResult<V1PersistentVolumeClaim>.Success(entity);
        }
        if (entity.Status?.Phase == "Bound") return ReconciliationResult<V1PersistentVolumeClaim>.Success(entity);
        var volume = entity.Spec.VolumeName is { Length: > 0 } named
            ? _volumes.Find(named)
            : await FindOrProvisionAsync(entity, cancellationToken).ConfigureAwait(false);
        // Until it is there, and free, the claim stays Pending.
        if (volume is null || (volume.Spec.ClaimRef is not null && !VolumeBinding.IsFor(volume, entity)))
            return ReconciliationResult<V1PersistentVolumeClaim>.Success(entity);
        if (volume.Spec.ClaimRef?.Uid is null or "")
        {
            var reference = new JsonObject { ["spec"] = new JsonObject { ["claimRef"] = ObjectJson.ToNode(Reference(entity)) } };
            volume = await plane.Client.Resource<V1PersistentVolume>().PatchAsync(
                volume.Metadata.Name, null, Patch.Merge(reference), ct: cancellationToken).ConfigureAwait(false);
        }
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
        if (volume.Metadata.Name == VolumeName(entity))
            events.Publish(entity, "ProvisioningSucceeded", $"Successfully provisioned volume {volume.Metadata.Name}");
        return ReconciliationResult<V1PersistentVolumeClaim>.Success(entity);
    }

    public async Task<ReconciliationResult<V1PersistentVolumeClaim>> DeletedAsync(V1PersistentVolumeClaim entity, CancellationToken cancellationToken)
    {
        var volume = _volumes.List().FirstOrDefault(v => v.Spec.ClaimRef?.Uid == entity.Metadata.Uid);
        if (volume is not null && volume.Spec.PersistentVolumeReclaimPolicy != "Delete")
        {
            // What is in it stays, and nobody else gets it.
            volume = ObjectJson.Clone(volume);
            volume.Status = new V1PersistentVolumeStatus { Phase = "Released" };
            await plane.UpdateStatusAsync(volume, cancellationToken).ConfigureAwait(false);
            return ReconciliationResult<V1PersistentVolumeClaim>.Success(entity);
        }
        await plane.Client.Resource<V1PersistentVolume>().DeleteAsync(volume?.Metadata.Name ?? VolumeName(entity), ct: cancellationToken).ConfigureAwait(false);
        var folder = folders.Folder(entity.Metadata.NamespaceProperty, entity.Metadata.Name);
        // Only a folder that was made for this claim is its own to remove: not one that a person named, here or in a volume.
        if (!folders.IsBinding(entity.Metadata.Name) && (volume is null || volume.Spec.HostPath?.Path == folder) && Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        return ReconciliationResult<V1PersistentVolumeClaim>.Success(entity);
    }

    private async Task<V1PersistentVolume?> FindOrProvisionAsync(V1PersistentVolumeClaim claim, CancellationToken cancel)
    {
        // Asked of the API, so that no volume is made beside one that was there before the claim.
        if (VolumeBinding.Find(claim, await plane.Client.ListAsync<V1PersistentVolume>(ct: cancel).ConfigureAwait(false)) is { } volume) return volume;
        // The class "" is that of volumes that nobody makes on demand.
        return claim.Spec.StorageClassName is "" ? null : await ProvisionAsync(claim, cancel).ConfigureAwait(false);
    }

    private async Task LetGoAsync(V1PersistentVolumeClaim claim, CancellationToken cancel)
    {
        if (claim.Metadata.Finalizers?.Contains(VolumeBinding.Finalizer) != true
            || VolumeBinding.IsUsed(claim, _pods.List(claim.Metadata.NamespaceProperty))) return;
        var left = claim.Metadata.Finalizers.Where(f => f != VolumeBinding.Finalizer).Select(f => (JsonNode?)f).ToArray();
        var metadata = new JsonObject
        {
            ["uid"] = claim.Metadata.Uid, ["resourceVersion"] = claim.Metadata.ResourceVersion, ["finalizers"] = new JsonArray(left),
        };
        await plane.Client.Resource<V1PersistentVolumeClaim>().PatchAsync(
            claim.Metadata.Name, claim.Metadata.NamespaceProperty, Patch.Merge(new JsonObject { ["metadata"] = metadata }), ct: cancel).ConfigureAwait(false);
    }

    private static V1ObjectReference Reference(V1PersistentVolumeClaim claim) => new()
    {
        ApiVersion = "v1", Kind = "PersistentVolumeClaim", Name = claim.Metadata.Name,
        NamespaceProperty = claim.Metadata.NamespaceProperty, Uid = claim.Metadata.Uid,
    };

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
                    ClaimRef = Reference(claim),
                },
            }, cancel).ConfigureAwait(false);
    }
}
