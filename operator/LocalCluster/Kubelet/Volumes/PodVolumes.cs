using System.Text;
using Graft.LocalCluster.Kubelet.Mounts;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Volumes;

/// <summary>Makes a pod's volumes real: a file or folder of this machine for each.</summary>
/// <param name="folder">The pod's own folder.</param>
internal sealed class PodVolumes(ApiClient client, HostFolders host, string folder)
{
    /// <returns>Volume name -> path on this machine.</returns>
    /// <exception cref="VolumeException">One cannot be had (yet).</exception>
    public async Task<IReadOnlyDictionary<string, string>> OpenAsync(V1Pod pod, string podIp, CancellationToken cancel)
    {
        var open = new Dictionary<string, string>();
        foreach (var volume in pod.Spec.Volumes ?? [])
        {
            try
            {
                open[volume.Name] = await OpenAsync(volume, pod, podIp, cancel).ConfigureAwait(false);
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

    private async Task<string> OpenAsync(V1Volume volume, V1Pod pod, string podIp, CancellationToken cancel)
    {
        var own = Path.Combine(folder, "volumes", volume.Name);
        var ns = pod.Metadata.NamespaceProperty;
        if (volume.HostPath is { } hostPath) return host.Open(hostPath);
        if (volume.PersistentVolumeClaim is { } claim) return await ClaimAsync(claim.ClaimName, ns, cancel).ConfigureAwait(false);
        Directory.CreateDirectory(own);
        if (volume.EmptyDir is not null) return own;
        if (volume.ConfigMap is { } map)
            await ConfigMapAsync(own, ns, map.Name, map.Items, map.DefaultMode, map.Optional == true, cancel).ConfigureAwait(false);
        else if (volume.Secret is { } secret)
            await SecretAsync(own, ns, secret.SecretName, secret.Items, secret.DefaultMode, secret.Optional == true, cancel).ConfigureAwait(false);
        else if (volume.DownwardAPI is { } downward)
            Downward(own, pod, podIp, downward.Items, downward.DefaultMode);
        else if (volume.Projected is { } projected)
            await ProjectedAsync(own, pod, podIp, projected, cancel).ConfigureAwait(false);
        else
            throw new VolumeException("this kind of volume does not exist on this machine (emptyDir, hostPath, persistentVolumeClaim, configMap, secret, downwardAPI and projected do)", isFinal: true);
        return own;
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

    private async Task ConfigMapAsync(string own, string ns, string name, IList<V1KeyToPath>? items, int? mode, bool optional, CancellationToken cancel)
    {
        var map = await client.GetAsync<V1ConfigMap>(name, ns, cancel).ConfigureAwait(false);
        if (map is null && !optional) throw new VolumeException($"configmap \"{name}\" not found");
        if (map is not null) KeyFiles.Write(own, KeyFiles.Of(map), items, mode, optional, "configmap");
    }

    private async Task SecretAsync(string own, string ns, string name, IList<V1KeyToPath>? items, int? mode, bool optional, CancellationToken cancel)
    {
        File.SetUnixFileMode(own, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var secret = await client.GetAsync<V1Secret>(name, ns, cancel).ConfigureAwait(false);
        if (secret is null && !optional) throw new VolumeException($"secret \"{name}\" not found");
        if (secret is not null) KeyFiles.Write(own, KeyFiles.Of(secret), items, mode, optional, "secret");
    }

    private static void Downward(string own, V1Pod pod, string podIp, IList<V1DownwardAPIVolumeFile>? items, int? mode)
    {
        foreach (var item in items ?? [])
        {
            var text = item.FieldRef is { } field ? PodFields.Read(pod, podIp, field.FieldPath)
                : PodFields.ReadResource(pod, item.ResourceFieldRef, pod.Spec.Containers[0]);
            if (text is null) throw new VolumeException($"unsupported field of a pod: {item.FieldRef?.FieldPath ?? item.ResourceFieldRef.Resource}", isFinal: true);
            KeyFiles.Write(own, item.Path, Encoding.UTF8.GetBytes(text), item.Mode ?? mode);
        }
    }

    private async Task ProjectedAsync(string own, V1Pod pod, string podIp, V1ProjectedVolumeSource projected, CancellationToken cancel)
    {
        var ns = pod.Metadata.NamespaceProperty;
        foreach (var source in projected.Sources ?? [])
        {
            if (source.ConfigMap is { } map)
                await ConfigMapAsync(own, ns, map.Name, map.Items, projected.DefaultMode, map.Optional == true, cancel).ConfigureAwait(false);
            else if (source.Secret is { } secret)
                await SecretAsync(own, ns, secret.Name, secret.Items, projected.DefaultMode, secret.Optional == true, cancel).ConfigureAwait(false);
            else if (source.DownwardAPI is { } downward)
                Downward(own, pod, podIp, downward.Items, projected.DefaultMode);
            else
                throw new VolumeException("a projected volume takes configMap, secret and downwardAPI on this machine", isFinal: true);
        }
    }

    /// <summary>A container's mounts, from its volumeMounts and the pod's open volumes.</summary>
    public IReadOnlyList<PodMount> Mounts(V1Container container, V1Pod pod, IReadOnlyDictionary<string, string> open)
    {
        var mounts = new List<PodMount>();
        foreach (var mount in container.VolumeMounts ?? [])
        {
            var volume = pod.Spec.Volumes?.FirstOrDefault(v => v.Name == mount.Name);
            if (volume is null || !open.TryGetValue(mount.Name, out var source))
                throw new VolumeException($"volume \"{mount.Name}\" of container \"{container.Name}\" does not exist", isFinal: true);
            if (mount.SubPath is { Length: > 0 } sub) source = host.Inside(source, sub);
            var readOnly = mount.ReadOnlyProperty == true || volume.PersistentVolumeClaim?.ReadOnlyProperty == true
                || volume.ConfigMap is not null || volume.Secret is not null || volume.DownwardAPI is not null || volume.Projected is not null;
            mounts.Add(new PodMount(mount.MountPath.Length > 1 ? mount.MountPath.TrimEnd('/') : mount.MountPath, source, readOnly, File.Exists(source)));
        }
        return mounts;
    }
}
