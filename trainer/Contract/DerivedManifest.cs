namespace Graft.Contract;

/// <summary>
/// <c>manifest.json</c> of what was made of artifacts without training: of what, how, and the digest of every file in it. It says no time,
/// so that the same input gives the same bytes.
/// </summary>
public sealed record DerivedManifest
{
    public const string CurrentVersion = "graft.dev/derived/v1alpha1";

    public string Version { get; init; } = CurrentVersion;
    public required ArtifactKind Kind { get; init; }

    /// <summary>The model that an adapter was merged into; null where adapters alone were combined.</summary>
    public BaseModelReference? BaseModel { get; init; }
    public required IReadOnlyList<AdapterReference> Adapters { get; init; }

    /// <summary>How several adapters became one; null where there is one.</summary>
    public CombinationReference? Combination { get; init; }

    /// <summary>Type of the weights in the files, as safetensors names it.</summary>
    public required string Dtype { get; init; }
    public required IReadOnlyList<ArtifactFile> Files { get; init; }

    /// <summary>Program and version that made it.</summary>
    public required string Producer { get; init; }
}

/// <param name="Source">As it was named.</param>
/// <param name="Digest">
/// <c>sha256:…</c> of its <c>manifest.json</c>, or of the file that it is; else over its files' own digests in the order of their names.
/// </param>
/// <param name="Weight">What it counts in a combination.</param>
public sealed record AdapterReference(string Source, string Digest, double? Weight = null);

/// <param name="Method">By its name on the command line.</param>
/// <param name="Density">Of methods that leave elements out.</param>
/// <param name="Seed">Of methods that leave it to chance.</param>
/// <param name="Rank">Of svd, where it was asked for.</param>
public sealed record CombinationReference(string Method, double? Density = null, long? Seed = null, int? Rank = null);
