using System.Text;
using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Volumes;

/// <summary>Writes the keys of a ConfigMap or Secret as files.</summary>
internal static class KeyFiles
{
    private const UnixFileMode DefaultMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public static Dictionary<string, byte[]> Of(V1ConfigMap map)
    {
        var files = (map.Data ?? new Dictionary<string, string>()).ToDictionary(d => d.Key, d => Encoding.UTF8.GetBytes(d.Value));
        foreach (var (key, value) in map.BinaryData ?? new Dictionary<string, byte[]>()) files[key] = value;
        return files;
    }

    public static Dictionary<string, byte[]> Of(V1Secret secret) => new(secret.Data ?? new Dictionary<string, byte[]>());

    /// <param name="items">Which keys, and under what paths; null for all under their own names.</param>
    /// <exception cref="VolumeException">A key that is not there, or a path that leads out of the folder.</exception>
    public static void Write(string folder, Dictionary<string, byte[]> files, IList<V1KeyToPath>? items, int? mode, bool optional, string what)
    {
        Directory.CreateDirectory(folder);
        foreach (var item in items ?? [.. files.Keys.Select(k => new V1KeyToPath { Key = k, Path = k })])
        {
            if (!files.TryGetValue(item.Key, out var content))
            {
                if (optional) continue;
                throw new VolumeException($"{what} references non-existent key: {item.Key}");
            }
            Write(folder, item.Path, content, item.Mode ?? mode);
        }
    }

    public static void Write(string folder, string path, byte[] content, int? mode)
    {
        if (path.StartsWith('/') || path.Split('/').Contains("..")) throw new VolumeException($"\"{path}\" leads out of its volume", isFinal: true);
        var file = Path.Combine(folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        // A file of an earlier start may be read-only.
        File.Delete(file);
        File.WriteAllBytes(file, content);
        File.SetUnixFileMode(file, mode is { } bits ? (UnixFileMode)(bits & 0x1FF) : DefaultMode);
    }
}
