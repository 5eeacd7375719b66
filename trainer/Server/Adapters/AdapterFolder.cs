using System.Text.Json;
using Graft.Contract;
using Graft.Server.Protocol;

namespace Graft.Server.Adapters;

/// <summary>What is checked of an adapter's folder before any of its weights is read.</summary>
internal static class AdapterFolder
{
    private const int MaxManifestBytes = 16 << 20;

    /// <summary>
    /// The adapter's two files must be there and, where a <c>manifest.json</c> is, every file must have the length and digest that it
    /// states, and the base that it was trained on must be the one that is loaded.
    /// </summary>
    /// <exception cref="ApiException">404 when it is no adapter; 500, as vLLM answers, with everything that is wrong with it.</exception>
    public static void Check(AdapterLocation location, string baseDigest)
    {
        foreach (var name in (string[])[ArtifactLayout.AdapterConfig, ArtifactLayout.AdapterWeights])
        {
            if (Locate(location, name) is null)
            {
                throw ApiException.NotFound($"No adapter found for '{location.Name}': it has no {name}.", "lora_path");
            }
        }
        if (Locate(location, ArtifactLayout.Manifest) is not { } manifest) return;
        var errors = Errors(location, Read(location, manifest), baseDigest).ToList();
        if (errors.Count > 0) throw Refused(location, string.Join("; ", errors));
    }

    public static ApiException Refused(AdapterLocation location, string why)
    {
        // Readers name the file that they opened; the caller knows it by the path that it sent.
        var named = why.Replace(location.Folder, location.Name, StringComparison.Ordinal).TrimEnd('.');
        return ApiException.Internal($"The adapter '{location.Name}' is refused: {named}.");
    }

    private static IEnumerable<string> Errors(AdapterLocation location, ArtifactManifest manifest, string baseDigest)
    {
        if (manifest.Version != ArtifactManifest.CurrentVersion)
        {
            yield return $"manifest.json has version '{manifest.Version}', and '{ArtifactManifest.CurrentVersion}' is known";
            yield break;
        }
        if (manifest.Kind != ArtifactKind.Adapter) yield return $"its kind is {manifest.Kind}, and only an Adapter can be loaded";
        if (manifest.BaseModel.Digest != baseDigest)
        {
            yield return $"it was trained on the base model {manifest.BaseModel.Digest}, and the one that is served is {baseDigest}";
        }
        foreach (var name in (string[])[ArtifactLayout.AdapterConfig, ArtifactLayout.AdapterWeights])
        {
            if (manifest.Files.All(f => f.Name != name)) yield return $"manifest.json does not list {name}";
        }
        foreach (var file in manifest.Files)
        {
            if (Locate(location, file.Name) is not { } path)
            {
                yield return $"{file.Name} is missing";
                continue;
            }
            var bytes = new FileInfo(path).Length;
            if (bytes != file.Bytes)
            {
                yield return $"{file.Name} has {bytes} bytes, and manifest.json says {file.Bytes}";
                continue;
            }
            var digest = Digests.OfFile(path);
            if (digest != file.Digest) yield return $"{file.Name} has the digest {digest}, and manifest.json says {file.Digest}";
        }
    }

    private static ArtifactManifest Read(AdapterLocation location, string path)
    {
        try
        {
            if (new FileInfo(path).Length > MaxManifestBytes) throw Refused(location, "manifest.json is larger than 16 MiB");
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), ContractJson.Default.ArtifactManifest)
                ?? throw Refused(location, "manifest.json holds nothing");
        }
        catch (JsonException e)
        {
            throw Refused(location, $"manifest.json cannot be read: {e.Message}");
        }
    }

    /// <summary>A file of the adapter that lies inside its root, or null.</summary>
    private static string? Locate(AdapterLocation location, string name)
    {
        if (name.Contains('\0') || name.Split('/').Any(p => p is "" or "." or "..")) return null;
        var path = AdapterPaths.RealPath(Path.Combine(location.Folder, name));
        return path is not null && AdapterPaths.IsBelow(path, location.Root) && File.Exists(path) ? path : null;
    }
}
