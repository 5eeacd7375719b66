using System.Formats.Tar;
using System.IO.Compression;
using Graft.Sources.Cache;
using Graft.Sources.Files;

namespace Graft.Sources.Oci;

/// <summary>
/// Unpacks a layer that is a tar archive: regular files with names inside the folder, and of those only what a model is made of. Of
/// everything else only the name is kept, where it hides what lies below.
/// </summary>
internal static class OciArchive
{
    private const int MaxEntries = 100_000;
    private const string Whiteout = ".wh.";
    private const string Opaque = ".wh..wh..opq";

    /// <summary>Weights hardly shrink, so an archive that grows more than this is made to fill a disk.</summary>
    private const long MaxGrowth = 16;
    private const long AlwaysAllowed = 64L << 20;

    /// <summary>The layer's files are blobs of their own now. The archive itself is not kept.</summary>
    /// <exception cref="SourceException"><see cref="SourceFault.Unusable"/> or <see cref="SourceFault.Refused"/>.</exception>
    public static async Task UnpackAsync(RepositoryCache cache, OciDescriptor layer, FetchKind kind, CancellationToken cancellation)
    {
        var entries = new HashSet<LayerEntry>();
        var budget = layer.IsGzip ? (layer.Size * MaxGrowth) + AlwaysAllowed : layer.Size;
        await using (var file = File.OpenRead(cache.Blob(layer.Hex)))
        await using (var stream = layer.IsGzip ? new GZipStream(file, CompressionMode.Decompress) : (Stream)file)
        {
            try
            {
                var bytes = new TarBytes(stream, budget + AlwaysAllowed);
                await using var tar = new TarReader(bytes);
                for (var count = 0; await tar.GetNextEntryAsync(copyData: false, cancellation) is { } entry; count++)
                {
                    if (count >= MaxEntries) throw Unusable($"an archive has more than {MaxEntries} entries");
                    if (entry.EntryType == TarEntryType.GlobalExtendedAttributes) continue;
                    var length = entry.DataStream?.Length ?? 0;
                    bytes.Follows(length);
                    budget -= length;
                    if (budget < 0) throw Unusable("an archive holds far more than its size allows");
                    if (MarkOf(entry, kind) is not { } found) continue;
                    if (found.Mark == LayerMark.File) await ExtractAsync(cache, layer, entry, Names.Safe(found.Name), cancellation);
                    entries.Add(found);
                }
            }
            catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or NotSupportedException)
            {
                throw Unusable($"an archive is broken: {e.Message}", e);
            }
        }
        LayerContent.Write(cache, layer, kind, entries);
        File.Delete(cache.Blob(layer.Hex));
    }

    /// <summary>Null: it is nothing to anybody.</summary>
    private static LayerEntry? MarkOf(TarEntry entry, FetchKind kind)
    {
        var name = entry.Name;
        while (name.StartsWith("./", StringComparison.Ordinal)) name = name[2..];
        var slash = name.LastIndexOf('/') + 1;
        if (name[slash..] == Opaque) return Names.IsSafe(name) ? new(LayerMark.Emptied, name[..slash].TrimEnd('/')) : null;
        if (name[slash..].StartsWith(Whiteout, StringComparison.Ordinal)) return Other(LayerMark.Hidden, name.Remove(slash, Whiteout.Length));
        if (entry.EntryType == TarEntryType.Directory) return Other(LayerMark.Folder, name.TrimEnd('/'));
        return entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile
            && (kind == FetchKind.SingleFile || ModelFiles.IsPartOfModel(name))
            ? new(LayerMark.File, name)
            : Other(LayerMark.Hidden, name);

        // A name that no file can have hides none.
        static LayerEntry? Other(LayerMark mark, string name) => Names.IsSafe(name) ? new(mark, name) : null;
    }

    private static async Task ExtractAsync(
        RepositoryCache cache, OciDescriptor layer, TarEntry entry, string name, CancellationToken cancellation)
    {
        var blob = cache.Blob(LayerContent.BlobOf(layer, name));
        await RepositoryCache.ReplaceAsync(blob, async temporary =>
        {
            await using var target = File.Create(temporary);
            if (entry.DataStream is not { } data) return;
            await data.CopyToAsync(target, cancellation);
            if (target.Length != data.Length) throw Unusable("an archive ends in the middle of a file");
        });
    }

    private static SourceException Unusable(string message, Exception? cause = null) => new(SourceFault.Unusable, message, cause);
}
