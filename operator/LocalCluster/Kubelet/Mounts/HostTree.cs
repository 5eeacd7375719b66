namespace Graft.LocalCluster.Kubelet.Mounts;

internal enum HostEntryKind { Folder, File, Link }

/// <param name="Target">What a link points to, as written in it.</param>
internal readonly record struct HostEntry(string Name, HostEntryKind Kind, string? Target = null);

/// <summary>What a plan of mounts needs to know of the machine's files; a table in tests.</summary>
internal interface IHostTree
{
    /// <summary>Entries of a folder; none when it cannot be read.</summary>
    IReadOnlyList<HostEntry> List(string folder);

    /// <summary>The entry at a path, links not followed; null when there is none.</summary>
    HostEntry? Find(string path);
}

internal sealed class HostTree : IHostTree
{
    public IReadOnlyList<HostEntry> List(string folder)
    {
        try
        {
            return [.. new DirectoryInfo(folder).EnumerateFileSystemInfos().Select(Entry).OrderBy(e => e.Name, StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    public HostEntry? Find(string path)
    {
        FileSystemInfo info = new DirectoryInfo(path);
        if (!info.Exists && info.LinkTarget is null) info = new FileInfo(path);
        return info.Exists || info.LinkTarget is not null ? Entry(info) : null;
    }

    private static HostEntry Entry(FileSystemInfo info) =>
        info.LinkTarget is { } target ? new HostEntry(info.Name, HostEntryKind.Link, target)
        : new HostEntry(info.Name, info is DirectoryInfo ? HostEntryKind.Folder : HostEntryKind.File);
}
