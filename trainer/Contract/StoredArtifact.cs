using System.Text.Json;

namespace Graft.Contract;

/// <summary>An artifact's folder as its <c>manifest.json</c> describes it.</summary>
/// <param name="Digest">Of the manifest itself.</param>
/// <param name="Kind">What it is to be used as.</param>
/// <param name="Files">All that is in it but the manifest.</param>
/// <param name="BaseModel">What it was trained on, or merged into; null where adapters alone were combined.</param>
/// <param name="Trained">The manifest of a training run; null where it was made of other artifacts.</param>
public sealed record StoredArtifact(
    string Folder, string Digest, ArtifactKind Kind, IReadOnlyList<ArtifactFile> Files, BaseModelReference? BaseModel, ArtifactManifest? Trained)
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
        return Parse(folder, bytes, Digests.Of(bytes));
    }

    /// <summary>Files that are missing or not what the manifest says, a sentence each.</summary>
    /// <param name="locate">Where a file of the folder really lies; null where it is not there, or may not be read.</param>
    public IEnumerable<string> Problems(Func<string, string?> locate)
    {
        foreach (var file in Files)
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

    private static StoredArtifact Parse(string folder, byte[] json, string digest)
    {
        try
        {
            switch (JsonSerializer.Deserialize(json, ContractJson.Default.VersionedDocument)?.Version)
            {
                case ArtifactManifest.CurrentVersion when JsonSerializer.Deserialize(json, ContractJson.Default.ArtifactManifest) is { } m:
                    return new StoredArtifact(folder, digest, m.Kind, m.Files, m.BaseModel, m);
                case DerivedManifest.CurrentVersion when JsonSerializer.Deserialize(json, ContractJson.Default.DerivedManifest) is { } m:
                    return new StoredArtifact(folder, digest, m.Kind, m.Files, m.BaseModel, null);
                case var version:
                    throw new InvalidDataException($"manifest.json has version '{version}'; known are "
                        + $"'{ArtifactManifest.CurrentVersion}' and '{DerivedManifest.CurrentVersion}'");
            }
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"manifest.json cannot be read: {e.Message}", e);
        }
    }
}
