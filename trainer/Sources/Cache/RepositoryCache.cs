namespace Graft.Sources.Cache;

/// <summary>
/// One repository in the cache, in the layout of huggingface_hub: <c>blobs/ID</c> hold the bytes, <c>snapshots/REVISION/NAME</c> are
/// relative links to them, <c>refs/NAME</c> say which revision a name meant last. Readers need no lock, because whatever appears is
/// complete.
/// </summary>
internal sealed class RepositoryCache
{
    private readonly string locks;

    /// <param name="root">The folder with all repositories.</param>
    /// <param name="name">This one's folder.</param>
    public RepositoryCache(string root, string name)
    {
        Root = Path.GetFullPath(root);
        Folder = Path.Combine(Root, name);
        locks = Path.Combine(Root, ".locks", name);
    }

    /// <summary>No link of a snapshot leads out of it.</summary>
    public string Root { get; }
    public string Folder { get; }

    /// <exception cref="SourceException"><see cref="SourceFault.Storage"/>.</exception>
    public void Create()
    {
        try
        {
            Directory.CreateDirectory(Path.Combine(Folder, "blobs"));
            Directory.CreateDirectory(Path.Combine(Folder, "refs"));
            Directory.CreateDirectory(Path.Combine(Folder, "snapshots"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SourceException(SourceFault.Storage, $"the cache {Root} cannot be written: {e.Message}", e);
        }
    }

    public string Blob(string id) => Path.Combine(Folder, "blobs", id);

    public string LockOf(string id) => Path.Combine(locks, id + ".lock");

    public string Snapshot(string revision) => Path.Combine(Folder, "snapshots", revision);

    /// <summary>Bytes of a blob that an earlier process left, at most.</summary>
    public long Begun(string id)
    {
        var partial = new FileInfo(Blob(id) + ".graft-incomplete");
        return partial.Exists ? Used(partial) : 0;
    }

    /// <summary>The revision that a name meant last; null when it was never asked for.</summary>
    public string? ReadRef(string name)
    {
        var path = RefPath(name);
        if (!File.Exists(path) || new FileInfo(path).Length > 256) return null;
        var text = File.ReadAllText(path).Trim();
        return text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c)) ? text : null;
    }

    public void WriteRef(string name, string revision)
    {
        var path = RefPath(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Replace(path, temporary => File.WriteAllText(temporary, revision));
    }

    /// <summary>
    /// Makes <c>snapshots/REVISION/NAME</c> the blob; a name that leads to it already is left alone, and so are bytes that no link
    /// stands for, because a revision's are the same.
    /// </summary>
    public void Link(string revision, string name, string blob)
    {
        var path = Path.Combine(Snapshot(revision), name);
        var target = Path.GetRelativePath(Path.GetDirectoryName(path)!, Blob(blob));
        if (Links.LeadToFile(path) && (new FileInfo(path).LinkTarget ?? target) == target) return;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Replace(path, temporary =>
        {
            try
            {
                File.CreateSymbolicLink(temporary, target);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
            {
                // Some volumes know no links; the bytes are there twice then.
                File.Copy(Blob(blob), temporary);
            }
        });
    }

    /// <summary>
    /// A list of files that a revision was fetched with: where it is, nothing has to be asked again. Null where one of them, or the blob
    /// behind it, is gone.
    /// </summary>
    public IReadOnlyList<string>? ReadComplete(string revision, string what)
    {
        var path = CompletePath(revision, what);
        if (!File.Exists(path)) return null;
        var names = File.ReadAllLines(path);
        return names.All(n => Path.Combine(Snapshot(revision), n) is var named && (Directory.Exists(named) || Links.LeadToFile(named)))
            ? names
            : null;
    }

    public void WriteComplete(string revision, string what, IEnumerable<string> names)
    {
        var path = CompletePath(revision, what);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Replace(path, temporary => File.WriteAllLines(temporary, names));
    }

    private string RefPath(string name) => Path.Combine(Folder, "refs", name);

    private string CompletePath(string revision, string what) => Path.Combine(Folder, ".graft", $"{revision}-{Names.Key(what)}");

    /// <summary>Writes a file beside its place and moves it there in one step; what failed in the middle leaves nothing behind.</summary>
    public static void Replace(string path, Action<string> write)
    {
        var temporary = Beside(path);
        try
        {
            write(temporary);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <inheritdoc cref="Replace"/>
    public static async Task ReplaceAsync(string path, Func<string, Task> write)
    {
        var temporary = Beside(path);
        try
        {
            await write(temporary);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static string Beside(string path) => $"{path}.{Guid.NewGuid():n}.tmp";

    // A partial file has its full length from the start, with holes.
    private static long Used(FileInfo partial)
    {
        var list = partial.FullName[..^".graft-incomplete".Length] + ".graft-chunks";
        try
        {
            if (!File.Exists(list) || new FileInfo(list).Length > 16 << 20) return 0;
            var lines = File.ReadAllLines(list);
            return lines.Length > 1 && long.TryParse(lines[0].Split(' ')[^1], out var chunk)
                ? Math.Min(partial.Length, (lines.Length - 1) * chunk)
                : 0;
        }
        catch (IOException)
        {
            // Another process finished it between two of these lines.
            return 0;
        }
    }
}
