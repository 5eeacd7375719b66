using System.Text.Json;

namespace Graft.Contract;

/// <summary>An artifact's folder as its <c>manifest.json</c> describes it.</summary>
/// <param name="Digest">Of the manifest itself.</param>
public sealed record StoredArtifact(string Folder, ArtifactManifest Manifest, string Digest)
{
    public const long MaxManifestBytes = 16 << 20;

    /// <summary>Null where the folder has no manifest: it was made elsewhere.</summary>
    /// <exception cref="InvalidDataException">The manifest cannot be read; the message speaks of <c>manifest.json</c>.</exception>
    public static StoredArtifact? Read(string folder)
    {
        var path = Path.Combine(folder, ArtifactLayout.Manifest);
        if (!File.Exists(path)) return null;
        if (new FileInfo(path).Length > MaxManifestBytes) throw new InvalidDataException("manifest.json is larger than 16 MiB");
        var bytes = File.ReadAllBytes(path);
        return new StoredArtifact(folder, Parse(bytes), Digests.Of(bytes));
    }

    /// <summary>Files that are missing or not what the manifest says, a sentence each.</summary>
    /// <param name="locate">Where a file of the folder really lies; null where it is not there, or may not be read.</param>
    public IEnumerable<string> Problems(Func<string, string?> locate)
    {
        foreach (var file in Manifest.Files)
        {
            if (Leaves(file.Name)) yield return $"manifest.json names the file '{file.Name}', which leaves the folder";
            else if (locate(file.Name) is not { } path) yield return $"{file.Name} is missing";
            else if (new FileInfo(path).Length is var bytes && bytes != file.Bytes)
                yield return $"{file.Name} has {bytes} bytes, and manifest.json says {file.Bytes}";
            else if (Digests.OfFile(path) is var digest && digest != file.Digest)
                yield return $"{file.Name} has the digest {digest}, and manifest.json says {file.Digest}";
        }
    }

    private static bool Leaves(string name) => name.Contains('\0') || name.Split('/').Any(p => p is "" or "." or "..");

    private static ArtifactManifest Parse(byte[] json)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize(json, ContractJson.Default.ArtifactManifest)
                ?? throw new InvalidDataException("manifest.json holds nothing");
            return manifest.Version == ArtifactManifest.CurrentVersion ? manifest : throw new InvalidDataException(
                $"manifest.json has version '{manifest.Version}', and '{ArtifactManifest.CurrentVersion}' is known");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"manifest.json cannot be read: {e.Message}", e);
        }
    }
}
