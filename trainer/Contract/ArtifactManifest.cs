namespace Graft.Contract;

/// <summary>
/// <c>manifest.json</c>, written last: what an artifact is, from what it was made, and the digest of every file in it.
/// Its own digest is the artifact's.
/// </summary>
public sealed record ArtifactManifest
{
    public const string CurrentVersion = "graft.dev/artifact/v1alpha1";

    public string Version { get; init; } = CurrentVersion;
    public required string Name { get; init; }
    public required ArtifactKind Kind { get; init; }

    /// <summary><see cref="Digests.Of(TrainingJob)"/> of the job that made it.</summary>
    public required string JobDigest { get; init; }
    public required TrainingJob Job { get; init; }
    public required BaseModelReference BaseModel { get; init; }
    public required DatasetReference Dataset { get; init; }
    public required AdapterFacts Facts { get; init; }

    /// <summary>A classifier's labels in the order of its head's rows; null where text is generated.</summary>
    public IReadOnlyList<string>? Labels { get; init; }
    public required ResolvedOptions Resolved { get; init; }
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }
    public required IReadOnlyList<ArtifactFile> Files { get; init; }
    public required int Steps { get; init; }
    public required DateTimeOffset Created { get; init; }

    /// <summary>Program and version that made it.</summary>
    public required string Producer { get; init; }
}

/// <param name="Digest"><c>sha256:…</c> over the weight files' own digests in the order of their names.</param>
/// <param name="Revision">What a fetched source named at that time: a commit, or a digest.</param>
public sealed record BaseModelReference(string Source, string Digest, string? Revision = null);

/// <param name="Digest"><c>sha256:…</c> over the data files' own digests in the order of the job.</param>
public sealed record DatasetReference(IReadOnlyList<string> Sources, string Digest, int TrainRows, int ValidationRows, long SupervisedTokens);

public sealed record ArtifactFile(string Name, long Bytes, string Digest);

/// <summary>
/// File names in an artifact's folder. The first two are PEFT's, so that PEFT and vLLM load the folder as it is; those of
/// bottleneck adapters are AdapterHub's.
/// </summary>
public static class ArtifactLayout
{
    public const string AdapterConfig = "adapter_config.json";
    public const string AdapterWeights = "adapter_model.safetensors";
    public const string HubAdapterWeights = "adapter.safetensors";
    public const string HubHeadConfig = "head_config.json";
    public const string HubHeadWeights = "model_head.safetensors";
    public const string Manifest = "manifest.json";

    /// <summary>
    /// What training goes on from where <see cref="AdapterWeights"/> holds only what was computed from it: every tensor that trains, by its
    /// own name. Its metadata has <c>graft.state</c>, the version of this layout, and <c>graft.method</c>. What serves has no use for it.
    /// </summary>
    public const string TrainingState = "training_state.safetensors";
}
