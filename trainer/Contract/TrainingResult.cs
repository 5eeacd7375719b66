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

    /// <summary>Of a LoRA: the rank that counts where no pattern says otherwise.</summary>
    public int? Rank { get; init; }

    /// <summary>Of a LoRA: the largest rank of any module, which is what an engine makes room for.</summary>
    public int? MaxRank { get; init; }
    public double? Alpha { get; init; }
    public bool RsLora { get; init; }

    /// <summary>Ranks or scales differ between modules (PEFT's <c>rank_pattern</c>, <c>alpha_pattern</c>).</summary>
    public bool HasPatterns { get; init; }

    /// <summary>Of a LoRA: it has magnitude vectors (DoRA).</summary>
    public bool Dora { get; init; }

    /// <summary>
    /// Which biases it brings, in PEFT's words: <c>none</c>, <c>all</c>, <c>lora_only</c>. Null where a method has no such choice.
    /// </summary>
    public string? Bias { get; init; }

    /// <summary>Last parts of the names of modules that it brings whole, sorted (PEFT's <c>modules_to_save</c>).</summary>
    public IReadOnlyList<string> ModulesToSave { get; init => field = value ?? field; } = [];

    /// <summary>Of soft prompts and prefixes: how many of the model's positions they take.</summary>
    public int? VirtualTokens { get; init; }

    /// <summary>It can be added into the base model's weights, after which the model has nothing beside it.</summary>
    public bool Mergeable { get; init; }

    // An older manifest lacks a list that came later; what reads JSON then hands over null.

    /// <summary>Last parts of the tuned modules' names, sorted.</summary>
    public IReadOnlyList<string> Targets { get; init => field = value ?? field; } = [];

    /// <summary>Type of the stored tensors as safetensors names it (<c>F32</c>).</summary>
    public required string Dtype { get; init; }
    public required long TrainableParameters { get; init; }

    /// <summary>Digest of the base model's weights (<see cref="ArtifactManifest.BaseModel"/>).</summary>
    public required string BaseDigest { get; init; }

    /// <summary>The base model's <c>model_type</c> as its <c>config.json</c> says it (<c>llama</c>).</summary>
    public string? ModelType { get; init; }

    /// <summary>What it was made for, as PEFT's <c>task_type</c> says it: <c>CAUSAL_LM</c> or <c>SEQ_CLS</c>.</summary>
    public string? Task { get; init; }

    /// <summary>Of the weights' files.</summary>
    public long Bytes { get; init; }
}
