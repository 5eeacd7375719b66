using Graft.Contract;

namespace Graft.Modeling.Adapters;

/// <summary>Whether the files of an artifact are those that its manifest describes. Adapters are small: it is always done.</summary>
internal static class ArtifactCheck
{
    /// <returns>Null where there is no manifest, because something else made the folder.</returns>
    /// <exception cref="ModelFormatException">A file is missing or differs; every one is named.</exception>
    public static StoredArtifact? Verify(string folder, TrustedRoot root)
    {
        StoredArtifact? artifact;
        try
        {
            artifact = StoredArtifact.Read(folder);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException(folder, e.Message, e);
        }
        if (artifact is null) return null;
        var problems = artifact.Problems(name =>
            Path.Combine(folder, name) is var path && File.Exists(path) ? root.Resolve(path) : null).ToList();
        return problems.Count == 0 ? artifact
            : throw new ModelFormatException(
                folder, $"is not the artifact that its manifest.json describes: {string.Join("; ", problems)}");
    }
}
