namespace Graft.Contract;

/// <summary>
/// How a run ended: written to the container's termination message (<see cref="ContractPaths.TerminationLog"/>), which
/// Kubernetes keeps in the pod's status and cuts at <see cref="MaxBytes"/> bytes. Details are in the artifact's <c>manifest.json</c>.
/// </summary>
public sealed record TrainingResult
{
    public const string CurrentVersion = "graft.dev/result/v1alpha1";

    /// <summary>Kubernetes keeps so many bytes of one container's termination message.</summary>
    public const int MaxBytes = 4096;
    public const int MaxMetrics = 20;

    public string Version { get; init; } = CurrentVersion;

    /// <summary>Null when the run succeeded.</summary>
    public Failure? Failure { get; init; }

    /// <summary>Null when the run failed.</summary>
    public ArtifactSummary? Artifact { get; init; }
    public ResolvedOptions? Resolved { get; init; }

    /// <summary>True when a complete artifact of the same job was found and nothing was trained.</summary>
    public bool Reused { get; init; }
    public int Steps { get; init; }
    public double? Loss { get; init; }
    public long? PeakMemoryBytes { get; init; }
    public double? TrainingSeconds { get; init; }

    /// <summary>When the last optimizer step ended.</summary>
    public DateTimeOffset? LastStepTime { get; init; }
}

/// <param name="Message">One sentence that names the field, file or line, and says what would be right.</param>
/// <param name="Step">Optimizer steps done when it failed.</param>
public sealed record Failure(FailureClass Class, string Message, int Step = 0);

/// <summary>What a reader needs to find, check and judge an artifact without opening it.</summary>
public sealed record ArtifactSummary
{
    public required string Uri { get; init; }

    /// <summary><c>sha256:…</c> of <c>manifest.json</c>, which holds the digest of every other file.</summary>
    public required string Digest { get; init; }
    public required long Bytes { get; init; }
    public required ArtifactKind Kind { get; init; }
    public required AdapterFacts Facts { get; init; }
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new SortedDictionary<string, double>(StringComparer.Ordinal);
}

public enum ArtifactKind { Adapter, Model }

/// <summary>What decides whether an engine can serve an adapter.</summary>
public sealed record AdapterFacts
{
    /// <summary>The member of <see cref="Contract.Method"/> that made it, in camelCase (<c>lora</c>).</summary>
    public required string Method { get; init; }
    public int? Rank { get; init; }
    public double? Alpha { get; init; }
    public bool RsLora { get; init; }

    /// <summary>Last parts of the tuned modules' names, sorted.</summary>
    public IReadOnlyList<string> Targets { get; init; } = [];

    /// <summary>Type of the stored tensors as safetensors names it (<c>F32</c>).</summary>
    public required string Dtype { get; init; }
    public required long TrainableParameters { get; init; }

    /// <summary>Digest of the base model's weights (<see cref="ArtifactManifest.BaseModel"/>).</summary>
    public required string BaseDigest { get; init; }
}
