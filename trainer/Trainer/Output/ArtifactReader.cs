using System.Text.Json;
using Graft.Contract;
using Graft.Trainer.Runs;

namespace Graft.Trainer.Output;

/// <summary>An artifact that is already there: whose it is, and whether every file is what its manifest says.</summary>
internal static class ArtifactReader
{
    private const long MaxManifestBytes = 16 << 20;

    /// <summary>Relative names of the files of an artifact but its manifest, sorted.</summary>
    public static IEnumerable<string> FilesIn(string folder) => Directory
        .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Select(f => Path.GetRelativePath(folder, f))
        .Where(f => f != ArtifactLayout.Manifest)
        .Order(StringComparer.Ordinal);

    /// <summary>The same with their sizes and digests.</summary>
    /// <param name="except">A name that is left out.</param>
    public static IEnumerable<ArtifactFile> Describe(string folder, string? except = null) => FilesIn(folder)
        .Where(name => name != except)
        .Select(name => (Name: name, Path: Path.Combine(folder, name)))
        .Select(f => new ArtifactFile(f.Name, new FileInfo(f.Path).Length, Digests.OfFile(f.Path)));

    /// <summary>The complete artifact of that job at <paramref name="folder"/>; null when nothing is there.</summary>
    /// <exception cref="RunFailedException">
    /// Class <see cref="FailureClass.OutputError"/>: something else lies there, or it is damaged.
    /// </exception>
    public static (ArtifactManifest Manifest, ArtifactSummary Summary)? Find(string folder, string uri, string jobDigest)
    {
        if (File.Exists(folder)) throw RunFailedException.Output($"{folder} is a file; output.path must name a folder");
        if (!Directory.Exists(folder)) return null;
        return ArtifactFolder.Guarded(folder, () =>
        {
            if (!Directory.EnumerateFileSystemEntries(folder).Any())
            {
                Directory.Delete(folder);
                return ((ArtifactManifest, ArtifactSummary)?)null;
            }
            var path = Path.Combine(folder, ArtifactLayout.Manifest);
            if (!File.Exists(path)) throw Foreign(folder, "it holds no manifest.json");
            if (new FileInfo(path).Length > MaxManifestBytes) throw Foreign(folder, "its manifest.json is too large");
            var bytes = File.ReadAllBytes(path);
            var manifest = Parse(bytes, folder);
            if (manifest.Version != ArtifactManifest.CurrentVersion || manifest.JobDigest != jobDigest)
                throw Foreign(folder, $"it holds the artifact of another job ({manifest.Name}, {manifest.JobDigest})");
            Verify(folder, manifest);
            return (manifest, Summary(manifest, uri, Digests.Of(bytes), manifest.Files.Sum(f => f.Bytes) + bytes.Length));
        });
    }

    public static ArtifactSummary Summary(ArtifactManifest manifest, string uri, string digest, long bytes) => new()
    {
        Uri = uri,
        Digest = digest,
        Bytes = bytes,
        Kind = manifest.Kind,
        Facts = manifest.Facts,
        Metrics = manifest.Metrics,
    };

    private static ArtifactManifest Parse(byte[] json, string folder)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ContractJson.Default.ArtifactManifest)
                ?? throw Foreign(folder, "its manifest.json is empty");
        }
        catch (JsonException e)
        {
            throw Foreign(folder, $"its manifest.json cannot be read: {e.Message}");
        }
    }

    private static void Verify(string folder, ArtifactManifest manifest)
    {
        var present = FilesIn(folder).ToHashSet(StringComparer.Ordinal);
        var wrong = manifest.Files
            .Where(f => !present.Contains(f.Name) || Digests.OfFile(Path.Combine(folder, f.Name)) != f.Digest)
            .Select(f => f.Name).ToList();
        if (wrong.Count > 0)
            throw RunFailedException.Output(
                $"{folder} is damaged: {string.Join(", ", wrong)} missing or changed; remove the folder to train again");
    }

    private static RunFailedException Foreign(string folder, string what) =>
        RunFailedException.Output($"{folder} exists already and {what}; remove it or choose another output.path");
}
