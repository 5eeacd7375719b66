using Graft.LocalCluster.Kubelet.Containers;
using Graft.LocalCluster.Kubelet.Mounts;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Volumes;

/// <summary>Makes a pod's volumes real: a file or folder of this machine for each.</summary>
/// <param name="folder">The pod's own folder.</param>
internal sealed class PodVolumes(ApiClient client, HostFolders host, VolumeContent content, string folder, TimeProvider time)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <returns>Volume name -> path on this machine.</returns>
    /// <exception cref="VolumeException">One cannot be had (yet).</exception>
    public async Task<IReadOnlyDictionary<string, string>> OpenAsync(V1Pod pod, CancellationToken cancel)
    {
        var open = new Dictionary<string, string>();
        foreach (var volume in pod.Spec.Volumes ?? [])
        {
            try
            {
                open[volume.Name] = await OpenAsync(volume, pod, cancel).ConfigureAwait(false);
            }
            catch (VolumeException e)
            {
                throw new VolumeException($"MountVolume.SetUp failed for volume \"{volume.Name}\" : {e.Message}", e.IsFinal);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new VolumeException($"MountVolume.SetUp failed for volume \"{volume.Name}\" : {e.Message}");
            }
        }
        return open;
    }

    private async Task<string> OpenAsync(V1Volume volume, V1Pod pod, CancellationToken cancel)
    {
        var own = Path.Combine(folder, "volumes", volume.Name);
        var ns = pod.Metadata.NamespaceProperty;
        if (volume.HostPath is { } hostPath) return host.Open(hostPath);
        if (volume.PersistentVolumeClaim is { } claim) return await ClaimAsync(claim.ClaimName, ns, cancel).ConfigureAwait(false);
        Directory.CreateDirectory(own);
        if (volume.EmptyDir is not null) return own;
        if (!VolumeContent.Fills(volume))
            throw new VolumeException("this kind of volume does not exist on this machine (emptyDir, hostPath, persistentVolumeClaim, configMap, secret, downwardAPI and projected do)", isFinal: true);
        if (volume.Secret is not null) File.SetUnixFileMode(own, OwnerOnly);
        await FillAsync(volume, pod, cancel).ConfigureAwait(false);
        return own;
    }

    private async Task FillAsync(V1Volume volume, V1Pod pod, CancellationToken cancel) => AtomicFolder.Write(
        Path.Combine(folder, "volumes", volume.Name), await content.ReadAsync(volume, pod, cancel).ConfigureAwait(false), time.GetUtcNow());

    /// <summary>Brings volumes up to date whose files come from the API; what is not there any more leaves the files as they are.</summary>
    /// <exception cref="VolumeException">What a volume shows cannot be had at the moment.</exception>
    public async Task RefreshAsync(V1Pod pod, CancellationToken cancel)
    {
        foreach (var volume in (pod.Spec.Volumes ?? []).Where(VolumeContent.Fills)) await FillAsync(volume, pod, cancel).ConfigureAwait(false);
    }

    private async Task<string> ClaimAsync(string name, string ns, CancellationToken cancel)
    {
        var claim = await client.GetAsync<V1PersistentVolumeClaim>(name, ns, cancel).ConfigureAwait(false)
            ?? throw new VolumeException($"persistentvolumeclaim \"{name}\" not found");
        if (claim.Status?.Phase != "Bound") throw new VolumeException($"persistentvolumeclaim \"{name}\" is not bound yet");
        var volume = await client.GetAsync<V1PersistentVolume>(claim.Spec.VolumeName, null, cancel).ConfigureAwait(false);
        // A PersistentVolume is an object that anybody may write: its path is held to the same folders.
        return volume?.Spec.HostPath is { } path
            ? host.Open(path)
            : throw new VolumeException($"persistentvolume \"{claim.Spec.VolumeName}\" of claim \"{name}\" is not a hostPath volume");
    }

    // pkg/kubelet/kubelet_pods.go, makeMounts
    private string Prepare(string source, string subPath, V1VolumeMount mount, V1Container container)
    {
        try
        {
            return host.Inside(source, subPath);
        }
        catch (VolumeException e)
        {
            throw new VolumeException($"failed to prepare subPath for volumeMount \"{mount.Name}\" of container \"{container.Name}\": {e.Message}");
        }
    }

    /// <summary>A container's mounts, from its volumeMounts and the pod's open volumes.</summary>
    /// <param name="environment">The container's variables, for subPathExpr; null where none has any.</param>
    public IReadOnlyList<PodMount> Mounts(
        V1Container container, V1Pod pod, IReadOnlyDictionary<string, string> open, IReadOnlyDictionary<string, string>? environment = null)
    {
        var mounts = new List<PodMount>();
        foreach (var mount in container.VolumeMounts ?? [])
        {
            var volume = pod.Spec.Volumes?.FirstOrDefault(v => v.Name == mount.Name);
            if (volume is null || !open.TryGetValue(mount.Name, out var source))
                throw new VolumeException($"volume \"{mount.Name}\" of container \"{container.Name}\" does not exist", isFinal: true);
            if (SubPath(mount, environment) is { Length: > 0 } sub) source = Prepare(source, sub, mount, container);
            var readOnly = mount.ReadOnlyProperty == true || volume.PersistentVolumeClaim?.ReadOnlyProperty == true
                || volume.ConfigMap is not null || volume.Secret is not null || volume.DownwardAPI is not null || volume.Projected is not null;
            mounts.Add(new PodMount(mount.MountPath.Length > 1 ? mount.MountPath.TrimEnd('/') : mount.MountPath, source, readOnly, File.Exists(source)));
        }
        return mounts;
    }

    /// <summary>Volumes that are named have to be there before anything runs.</summary>
    /// <exception cref="VolumeException">One is not.</exception>
    public static void Check(V1Container container, IReadOnlyDictionary<string, string> open)
    {
        if ((container.VolumeMounts ?? []).FirstOrDefault(m => !open.ContainsKey(m.Name)) is { } lost)
            throw new VolumeException($"volume \"{lost.Name}\" of container \"{container.Name}\" does not exist", isFinal: true);
    }

    private static string? SubPath(V1VolumeMount mount, IReadOnlyDictionary<string, string>? environment)
    {
        if (mount.SubPathExpr is not { Length: > 0 } text) return mount.SubPath;
        var path = VariableExpansion.Expand(text, environment ?? new Dictionary<string, string>());
        return path.Contains("$(", StringComparison.Ordinal) ? throw new VolumeException($"failed to expand subPathExpr \"{text}\": a variable has no value") : path;
    }
}
