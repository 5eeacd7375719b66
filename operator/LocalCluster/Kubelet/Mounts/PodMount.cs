namespace Graft.LocalCluster.Kubelet.Mounts;

/// <summary>A file or folder of this machine that a container sees at a path of its own.</summary>
/// <param name="Target">Absolute path in the container.</param>
/// <param name="Source">Absolute path on this machine; it exists.</param>
internal sealed record PodMount(string Target, string Source, bool ReadOnly = false, bool IsFile = false);
