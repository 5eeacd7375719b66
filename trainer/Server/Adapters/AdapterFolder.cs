using Graft.Contract;
using Graft.Modeling;
using Graft.Server.Protocol;

namespace Graft.Server.Adapters;

/// <summary>What is checked of an adapter's folder before any of its weights is read.</summary>
internal static class AdapterFolder
{
    /// <summary>PEFT's, and AdapterHub's.</summary>
    private static readonly string[] Weights = [ArtifactLayout.AdapterWeights, ArtifactLayout.HubAdapterWeights];

    /// <summary>
    /// The adapter's configuration and weights must be there and, where a <c>manifest.json</c> is, every file must have the length and
    /// digest that it states, and the base that it was trained on must be the one that is loaded.
    /// </summary>
    /// <exception cref="ApiException">404 when it is no adapter; 500, as vLLM answers, with everything that is wrong with it.</exception>
    public static void Check(AdapterLocation location, string baseDigest)
    {
        if (Locate(location, ArtifactLayout.AdapterConfig) is null) throw Lacks(location, ArtifactLayout.AdapterConfig);
        if (Weights.All(name => Locate(location, name) is null))
        {
            var pickle = Directory.EnumerateFiles(location.Folder).Select(f => Path.GetFileName(f)).FirstOrDefault(Pickles.Is);
            throw pickle is null ? Lacks(location, ArtifactLayout.AdapterWeights)
                : Refused(location, $"its weights are in {pickle}, {Pickles.Danger}; save them as {ArtifactLayout.AdapterWeights}");
        }
        if (Locate(location, ArtifactLayout.Manifest) is null || Read(location) is not { } artifact) return;
        var errors = Errors(location, artifact, baseDigest).ToList();
        if (errors.Count > 0) throw Refused(location, string.Join("; ", errors));
    }

    private static ApiException Lacks(AdapterLocation location, string name) =>
        ApiException.NotFound($"No adapter found for '{location.Name}': it has no {name}.", "lora_path");

    public static ApiException Refused(AdapterLocation location, string why)
    {
        // Readers name the file that they opened; the caller knows it by the path that it sent.
        var named = why.Replace(location.Folder, location.Name, StringComparison.Ordinal).TrimEnd('.');
        return ApiException.Internal($"The adapter '{location.Name}' is refused: {named}.");
    }

    private static IEnumerable<string> Errors(AdapterLocation location, StoredArtifact artifact, string baseDigest)
    {
        if (artifact.Kind != ArtifactKind.Adapter) yield return $"its kind is {artifact.Kind}, and only an Adapter can be loaded";
        if (artifact.BaseModel is { } trainedOn && trainedOn.Digest != baseDigest)
        {
            yield return $"it was trained on the base model {trainedOn.Digest}, and the one that is served is {baseDigest}";
        }
        foreach (var name in Weights.Where(w => Locate(location, w) is not null).Prepend(ArtifactLayout.AdapterConfig))
        {
            if (artifact.Files.All(f => f.Name != name)) yield return $"manifest.json does not list {name}";
        }
        foreach (var problem in artifact.Problems(name => Locate(location, name))) yield return problem;
    }

    private static StoredArtifact? Read(AdapterLocation location)
    {
        try
        {
            return StoredArtifact.Read(location.Folder);
        }
        catch (InvalidDataException e)
        {
            throw Refused(location, e.Message);
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
