using Graft.LocalCluster.Controllers.Volumes;
using k8s.Models;

namespace Graft.LocalCluster.Tests.Controllers;

public sealed class VolumeBindingTests
{
    [Fact]
    public void The_smallest_volume_that_is_large_enough_is_taken() =>
        Assert.Equal("middle", VolumeBinding.Find(Claim(), [Volume("large", "5Gi"), Volume("middle", "2Gi"), Volume("small", "1Gi")])!.Metadata.Name);

    [Fact]
    public void A_volume_that_is_kept_for_the_claim_goes_before_smaller_ones() => Assert.Equal("kept", VolumeBinding.Find(Claim(),
        [Volume("middle", "2Gi"), Volume("kept", "5Gi", v => v.Spec.ClaimRef = new V1ObjectReference { Name = "c", NamespaceProperty = "ns" })])!.Metadata.Name);

    [Fact]
    public void A_volume_of_another_class_mode_or_claim_or_one_that_ends_is_not_taken() => Assert.Null(VolumeBinding.Find(Claim(),
    [
        Volume("class", "2Gi", v => v.Spec.StorageClassName = "other"),
        Volume("mode", "2Gi", v => v.Spec.AccessModes = ["ReadOnlyMany"]),
        Volume("block", "2Gi", v => v.Spec.VolumeMode = "Block"),
        Volume("claim", "2Gi", v => v.Spec.ClaimRef = new V1ObjectReference { Name = "c", NamespaceProperty = "ns", Uid = "an earlier claim of this name" }),
        Volume("ends", "2Gi", v => v.Metadata.DeletionTimestamp = DateTime.UnixEpoch),
    ]));

    [Theory, InlineData("node", "Running", true), InlineData("node", "Succeeded", true), InlineData(null, "Pending", false)]
    public void A_scheduled_pod_uses_its_claim_until_it_is_deleted(string? node, string phase, bool used) => Assert.Equal(used, VolumeBinding.IsUsed(Claim(),
    [
        new V1Pod
        {
            Metadata = new V1ObjectMeta { NamespaceProperty = "ns" },
            Spec = new V1PodSpec
            {
                NodeName = node, Volumes = [new V1Volume { PersistentVolumeClaim = new V1PersistentVolumeClaimVolumeSource { ClaimName = "c" } }],
            },
            Status = new V1PodStatus { Phase = phase },
        },
    ]));

    private static V1PersistentVolumeClaim Claim() => new()
    {
        Metadata = new V1ObjectMeta { Name = "c", NamespaceProperty = "ns", Uid = "uid" },
        Spec = new V1PersistentVolumeClaimSpec
        {
            AccessModes = ["ReadWriteOnce"],
            Resources = new V1VolumeResourceRequirements { Requests = new Dictionary<string, ResourceQuantity> { ["storage"] = new("1500Mi") } },
        },
    };

    private static V1PersistentVolume Volume(string name, string size, Action<V1PersistentVolume>? change = null)
    {
        var volume = new V1PersistentVolume
        {
            Metadata = new V1ObjectMeta { Name = name },
            Spec = new V1PersistentVolumeSpec
            {
                AccessModes = ["ReadWriteOnce"], Capacity = new Dictionary<string, ResourceQuantity> { ["storage"] = new(size) },
            },
        };
        change?.Invoke(volume);
        return volume;
    }
}
