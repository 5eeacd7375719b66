using Graft.LocalCluster.Kubelet.Mounts;

namespace Graft.LocalCluster.Kubelet.Volumes;

/// <summary>
/// Mounts where no mount namespace can be had: a variable for each known path says where it really is. Several mounts below one
/// known path meet in a folder of links. Read-only cannot be enforced this way.
/// </summary>
internal static class PathVariables
{
    /// <param name="folder">An own folder of the container, for the links.</param>
    /// <exception cref="VolumeException">A mount path that no variable stands for.</exception>
    public static IReadOnlyDictionary<string, string> For(IReadOnlyList<PodMount> mounts, IReadOnlyList<PathVariable> variables, string folder)
    {
        var lost = mounts.FirstOrDefault(m => !variables.Any(v => RealPath.IsWithin(m.Target, v.Path)));
        if (lost is not null)
        {
            throw new VolumeException(
                $"nothing can be mounted at {lost.Target}: this machine does not permit mount namespaces, and no variable stands for that path", isFinal: true);
        }
        var result = new Dictionary<string, string>();
        foreach (var variable in variables)
        {
            var inside = mounts.Where(m => RealPath.IsWithin(m.Target, variable.Path)).ToList();
            if (inside.Count == 0) continue;
            result[variable.Variable] = inside is [var one] && one.Target == variable.Path ? one.Source : Links(inside, variable, folder);
        }
        return result;
    }

    private static string Links(List<PodMount> mounts, PathVariable variable, string folder)
    {
        var root = Path.Combine(folder, "paths", variable.Variable);
        if (Directory.Exists(root)) Directory.Delete(root, recursive: true);
        foreach (var mount in mounts)
        {
            if (mount.Target == variable.Path) throw new VolumeException($"mounts below the mount {mount.Target} need mount namespaces, which this machine does not permit", isFinal: true);
            var link = Path.Combine(root, mount.Target[(variable.Path.Length + 1)..]);
            Directory.CreateDirectory(Path.GetDirectoryName(link)!);
            File.CreateSymbolicLink(link, mount.Source);
        }
        return root;
    }
}
