namespace Graft.LocalCluster.Kubelet.Mounts;

/// <summary>Paths with the machine's links followed, as realpath(3) does it, but as far as they exist.</summary>
internal static class RealPath
{
    private const int MaxLinks = 40; // the kernel's own limit

    /// <param name="path">Absolute; what does not exist stays as it is.</param>
    /// <exception cref="IOException">Links in a circle.</exception>
    public static string Of(string path, IHostTree host)
    {
        var rest = new Stack<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        var done = new List<string>();
        var links = 0;
        while (rest.TryPop(out var part))
        {
            if (part == ".") continue;
            if (part == "..")
            {
                if (done.Count > 0) done.RemoveAt(done.Count - 1);
                continue;
            }
            done.Add(part);
            if (host.Find("/" + string.Join('/', done)) is not { Kind: HostEntryKind.Link, Target: { } target }) continue;
            if (++links > MaxLinks) throw new IOException($"Too many links in {path}");
            done.RemoveAt(done.Count - 1);
            if (target.StartsWith('/')) done.Clear();
            foreach (var piece in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse()) rest.Push(piece);
        }
        return "/" + string.Join('/', done);
    }

    /// <summary>Whether a path is a folder or lies below it; both real paths.</summary>
    public static bool IsWithin(string path, string folder) =>
        path == folder || folder == "/" || path.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal);
}
