using System.Text.Json;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Output;

namespace Graft.Trainer.Merging;

/// <summary>Writes of what something was made into its folder.</summary>
internal static class DerivedManifests
{
    /// <summary>Over the files that are there, as the last one.</summary>
    public static void Write(
        string folder, ArtifactKind kind, string dtype, IReadOnlyList<string> adapters, CombinationOptions? combination,
        BaseModelReference? model)
    {
        var manifest = new DerivedManifest
        {
            Kind = kind,
            BaseModel = model,
            Adapters = [.. adapters.Select((path, i) => new AdapterReference(path, DigestOf(path), combination?.Weights[i]))],
            Combination = combination is null ? null : new CombinationReference(
                CombinationNames.Of(combination.Method),
                combination.Prunes ? combination.Density : null,
                combination.Method is LoraCombination.DareLinear or LoraCombination.DareTies ? combination.Seed : null,
                combination.Rank),
            Dtype = dtype,
            Files = [.. ArtifactReader.Describe(folder)],
            Producer = $"graft-trainer {typeof(DerivedManifests).Assembly.GetName().Version?.ToString(3)}",
        };
        var json = JsonSerializer.SerializeToUtf8Bytes(manifest, ContractJson.Indented.DerivedManifest);
        File.WriteAllBytes(Path.Combine(folder, ArtifactLayout.Manifest), json);
    }

    private static string DigestOf(string path)
    {
        if (!Directory.Exists(path)) return Digests.OfFile(path);
        var manifest = Path.Combine(path, ArtifactLayout.Manifest);
        return File.Exists(manifest) ? Digests.OfFile(manifest) : Digests.OfParts(ArtifactReader.Describe(path).Select(f => f.Digest));
    }
}
