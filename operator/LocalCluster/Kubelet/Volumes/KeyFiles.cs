using System.Text;
using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Volumes;

/// <summary>The keys of a ConfigMap or Secret as files.</summary>
internal static class KeyFiles
{
    public static Dictionary<string, byte[]> Of(V1ConfigMap map)
    {
        var files = (map.Data ?? new Dictionary<string, string>()).ToDictionary(d => d.Key, d => Encoding.UTF8.GetBytes(d.Value));
        foreach (var (key, value) in map.BinaryData ?? new Dictionary<string, byte[]>()) files[key] = value;
        return files;
    }

    public static Dictionary<string, byte[]> Of(V1Secret secret) => new(secret.Data ?? new Dictionary<string, byte[]>());

    /// <param name="into">Relative path -> file; later sources win.</param>
    /// <param name="items">Which keys, and under what paths; null for all under their own names.</param>
    /// <exception cref="VolumeException">A key that is not there, or a path that leads out of the folder.</exception>
    public static void Add(
        Dictionary<string, VolumeFile> into, Dictionary<string, byte[]> files, IList<V1KeyToPath>? items, int? mode, bool optional, string what)
    {
        foreach (var item in items ?? [.. files.Keys.Select(k => new V1KeyToPath { Key = k, Path = k })])
        {
            if (!files.TryGetValue(item.Key, out var content))
            {
                if (optional) continue;
                throw new VolumeException($"{what} references non-existent config key: {item.Key}");
            }
            Add(into, item.Path, content, item.Mode ?? mode);
        }
    }

    /// <exception cref="VolumeException">The path leads out of the folder.</exception>
    public static void Add(Dictionary<string, VolumeFile> into, string path, byte[] content, int? mode)
    {
        if (path.StartsWith('/') || path.Split('/').Any(part => part is ".." or "") || path.StartsWith("..", StringComparison.Ordinal))
            throw new VolumeException($"\"{path}\" leads out of its volume", isFinal: true);
        into[path] = new VolumeFile(content, mode);
    }
}
