using Graft.Sources.Cache;

namespace Graft.Sources.Oci;

/// <summary>What an entry of a layer does to the layers below it.</summary>
internal enum LayerMark : ushort
{
    /// <summary>A file that is taken; it takes the place of what has its name.</summary>
    File = '+',

    /// <summary>Nothing of this name is left of what lies below: a whiteout, or something that is not taken and lies in its place.</summary>
    Hidden = '-',

    /// <summary>Nothing in this folder is left of what lies below: an opaque whiteout.</summary>
    Emptied = '*',

    /// <summary>A folder, in which what lies below stays; a file of its name does not.</summary>
    Folder = '/',
}

internal readonly record struct LayerEntry(LayerMark Mark, string Name);

/// <summary>
/// What an unpacked layer holds and hides. It is kept beside the blobs, so that the archive is not needed again, and belongs to the
/// layer's digest and to what was taken of it.
/// </summary>
internal static class LayerContent
{
    public static string BlobOf(OciDescriptor layer, string name) => $"{layer.Hex}-{Names.Key(name)}";

    /// <summary>Null: it was never unpacked for this, or one of its blobs is gone.</summary>
    public static IReadOnlyList<LayerEntry>? Read(RepositoryCache cache, OciDescriptor layer, FetchKind kind)
    {
        var path = PathOf(cache, layer, kind);
        if (!File.Exists(path)) return null;
        var entries = File.ReadLines(path).Where(l => l.Length > 0).Select(l => new LayerEntry((LayerMark)l[0], l[1..])).ToList();
        return entries.All(e => e.Mark != LayerMark.File || File.Exists(cache.Blob(BlobOf(layer, e.Name)))) ? entries : null;
    }

    public static void Write(RepositoryCache cache, OciDescriptor layer, FetchKind kind, IEnumerable<LayerEntry> entries)
    {
        var path = PathOf(cache, layer, kind);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        RepositoryCache.Replace(path, temporary => File.WriteAllLines(temporary, entries.Select(e => (char)e.Mark + e.Name)));
    }

    private static string PathOf(RepositoryCache cache, OciDescriptor layer, FetchKind kind) =>
        Path.Combine(cache.Folder, ".graft", "layers", $"{layer.Hex}-{kind}");
}
