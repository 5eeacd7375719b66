using System.Formats.Tar;
using System.IO.Compression;
using Graft.Sources.Cache;
using Graft.Sources.Files;

namespace Graft.Sources.Oci;

/// <summary>
/// Unpacks a layer that is a tar archive: regular files with names inside the folder, and of those only what a model is made of.
/// </summary>
internal static class OciArchive
{
    private const int MaxEntries = 100_000;

    /// <summary>Weights hardly shrink, so an archive that grows more than this is made to fill a disk.</summary>
    private const long MaxGrowth = 16;
    private const long AlwaysAllowed = 64L << 20;

    /// <summary>The names that are in <paramref name="revision"/>'s snapshot now. The archive itself is not kept.</summary>
    public static async Task<IReadOnlyList<string>> UnpackAsync(
        RepositoryCache cache, string revision, OciDescriptor layer, FetchKind kind, TimeProvider time, CancellationToken cancellation)
    {
        using var mine = await FileLock.TakeAsync(cache.LockOf(layer.Hex + ".tar"), time, cancellation);
        if (cache.ReadComplete(revision, layer.Digest) is { } done) return done;
        var names = new List<string>();
        var budget = layer.IsGzip ? (layer.Size * MaxGrowth) + AlwaysAllowed : layer.Size;
        await using var file = File.OpenRead(cache.Blob(layer.Hex));
        await using var stream = layer.IsGzip ? new GZipStream(file, CompressionMode.Decompress) : (Stream)file;
        try
        {
            await using var tar = new TarReader(new BoundedStream(stream, budget + AlwaysAllowed));
            for (var count = 0; await tar.GetNextEntryAsync(copyData: false, cancellation) is { } entry; count++)
            {
                if (count >= MaxEntries) throw Unusable($"an archive has more than {MaxEntries} entries");
                budget -= entry.Length;
                if (budget < 0) throw Unusable("an archive holds far more than its size allows");
                if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile)) continue;
                var name = entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name;
                if (kind == FetchKind.Model && !ModelFiles.IsPartOfModel(name)) continue;
                await ExtractAsync(cache, revision, layer, entry, Names.Safe(name), cancellation);
                names.Add(name);
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw Unusable($"an archive is broken: {e.Message}", e);
        }
        cache.WriteComplete(revision, layer.Digest, names);
        File.Delete(cache.Blob(layer.Hex));
        return names;
    }

    private static async Task ExtractAsync(
        RepositoryCache cache, string revision, OciDescriptor layer, TarEntry entry, string name, CancellationToken cancellation)
    {
        var blob = $"{layer.Hex}-{Names.Key(name)}";
        var temporary = $"{cache.Blob(blob)}.{Guid.NewGuid():n}.tmp";
        await using (var target = File.Create(temporary))
        {
            if (entry.DataStream is { } data) await data.CopyToAsync(target, cancellation);
            if (target.Length != entry.Length) throw Unusable("an archive ends in the middle of a file");
        }
        File.Move(temporary, cache.Blob(blob), overwrite: true);
        cache.Link(revision, name, blob);
    }

    private static SourceException Unusable(string message, Exception? cause = null) => new(SourceFault.Unusable, message, cause);
}
