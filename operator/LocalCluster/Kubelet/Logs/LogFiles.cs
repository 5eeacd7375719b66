namespace Graft.LocalCluster.Kubelet.Logs;

/// <summary>Where the output of containers lies: <c>STATE/logs/POD-UID/CONTAINER/RESTART.log</c>, lines as in <see cref="LogLine"/>.</summary>
internal sealed class LogFiles(string stateFolder)
{
    public string Root { get; } = Path.Combine(stateFolder, "logs");

    /// <summary>The log of one start of a container; <paramref name="restart"/> counts from 0. The file may not exist (yet).</summary>
    /// <exception cref="ArgumentException">A name that is more than one path segment.</exception>
    public string File(string podUid, string container, int restart) =>
        Path.Combine(Root, Segment(podUid), Segment(container), FormattableString.Invariant($"{restart}.log"));

    /// <summary>The log folder of one pod; removed when the pod object is gone.</summary>
    public string Folder(string podUid) => Path.Combine(Root, Segment(podUid));

    private static string Segment(string name) =>
        name is "" or "." or ".." || name.Contains('/', StringComparison.Ordinal)
            ? throw new ArgumentException($"\"{name}\" is not a name of a folder")
            : name;
}
