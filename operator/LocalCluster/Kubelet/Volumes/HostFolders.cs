using Graft.LocalCluster.Kubelet.Mounts;
using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Volumes;

/// <summary>The folders of this machine that volumes may show; links that lead out of them are found.</summary>
internal sealed class HostFolders(IEnumerable<string> roots, IHostTree tree)
{
    private readonly List<string> _roots = [.. roots.Select(r => RealPath.Of(Path.GetFullPath(r), tree))];

    /// <summary>The real path of a hostPath volume, made where its type asks for that.</summary>
    /// <exception cref="VolumeException">Outside the allowed folders, or not what the type says.</exception>
    public string Open(V1HostPathVolumeSource volume)
    {
        if (!volume.Path.StartsWith('/')) throw new VolumeException($"hostPath \"{volume.Path}\" is not absolute", isFinal: true);
        var real = RealPath.Of(volume.Path, tree);
        if (!_roots.Any(root => RealPath.IsWithin(real, root)))
        {
            throw new VolumeException(
                $"hostPath \"{volume.Path}\" lies outside the folders that pods of this machine may see ({string.Join(", ", _roots)})", isFinal: true);
        }
        switch (volume.Type)
        {
            case "DirectoryOrCreate": Directory.CreateDirectory(real); break;
            case "FileOrCreate" when !File.Exists(real): File.WriteAllText(real, ""); break;
            default: break;
        }
        var wrong = volume.Type switch
        {
            "Directory" or "DirectoryOrCreate" => !Directory.Exists(real),
            "File" or "FileOrCreate" => !File.Exists(real),
            _ => !Directory.Exists(real) && !File.Exists(real),
        };
        return wrong ? throw new VolumeException($"hostPath type check failed: {volume.Path} is not {Wanted(volume.Type)}") : real;
    }

    /// <summary>A path inside a volume; it is made as a folder when it is missing.</summary>
    /// <exception cref="VolumeException">It leads out of the volume.</exception>
    public string Inside(string volume, string subPath)
    {
        if (subPath.StartsWith('/') || subPath.Split('/').Contains(".."))
            throw new VolumeException($"subPath \"{subPath}\" must be a relative path without '..'", isFinal: true);
        var root = RealPath.Of(volume, tree);
        var real = RealPath.Of(Path.Combine(root, subPath), tree);
        if (!RealPath.IsWithin(real, root)) throw new VolumeException($"subPath \"{subPath}\" leads out of its volume", isFinal: true);
        if (!File.Exists(real)) Directory.CreateDirectory(real);
        return real;
    }

    private static string Wanted(string? type) => type switch
    {
        "Directory" or "DirectoryOrCreate" => "a directory",
        "File" or "FileOrCreate" => "a file",
        _ => "there",
    };
}
