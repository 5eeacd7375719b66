namespace Graft.LocalCluster.Kubelet.Volumes;

/// <summary>A volume that cannot be had.</summary>
/// <param name="isFinal">It never can: the pod fails. Else it is tried again, as what it needs may come.</param>
internal sealed class VolumeException(string message, bool isFinal = false) : Exception(message)
{
    public bool IsFinal { get; } = isFinal;
}
