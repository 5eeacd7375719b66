using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.Api;

/// <summary>What became of a run. Every field is written by the operator.</summary>
internal sealed record FineTuneJobStatus
{
    [Description("The generation that this status speaks of.")]
    public long? ObservedGeneration { get; init; }

    [Length(maxLength: 32), Description("A word for people; programs read conditions.")]
    public string? Phase { get; init; }

    [Length(maxLength: 32), Description("The member of spec.method.")]
    public string? Method { get; init; }

    [Length(maxLength: 96), Description("GPUs asked for.")]
    public string? Gpu { get; init; }

    [Description("Values that the trainer chose where the spec left them open.")]
    public ResolvedStatus? Resolved { get; init; }

    [Items(maxItems: 16), XListType(ListType.Map), XListMapKeys("type")]
    [Description("Ready, Reconciling and Stalled as kstatus reads them, and Succeeded.")]
    public IList<V1Condition>? Conditions { get; init; }

    [Description("How far it is.")]
    public ProgressStatus? Progress { get; init; }

    [Items(maxItems: 10), Description("The last ten pods that trained, the newest first.")]
    public IList<AttemptStatus>? Attempts { get; init; }

    [Description("Memory of the trainer.")]
    public MemoryStatus? Memory { get; init; }

    [Description("What came out.")]
    public ArtifactStatus? Artifact { get; init; }
}

internal sealed record ResolvedStatus
{
    public double? LearningRate { get; init; }
    public int? MicroBatchSize { get; init; }

    [Length(maxLength: 16)]
    public string? Precision { get; init; }

    [Length(maxLength: 64)]
    public string? Device { get; init; }
}

internal sealed record ProgressStatus
{
    [Description("Optimizer steps done.")]
    public int Step { get; init; }

    [Description("Optimizer steps planned.")]
    public int Steps { get; init; }
    public int Percent { get; init; }

    [Length(maxLength: 32), Description("Mean loss per supervised token of the last step.")]
    public string? Loss { get; init; }
    public long? TokensPerSecond { get; init; }

    [Length(maxLength: 32), Description("Time left, as 1h5m or 40s.")]
    public string? Remaining { get; init; }
}

internal sealed record AttemptStatus
{
    public int Number { get; init; }

    [Length(maxLength: 253), Description("The pod, for kubectl logs while it is there.")]
    public string? Pod { get; init; }
    public DateTime? StartTime { get; init; }
    public DateTime? FinishTime { get; init; }
    public FailureStatus? Failure { get; init; }
}

internal sealed record FailureStatus
{
    [Length(maxLength: 64)]
    [Description("Who can mend it: InvalidJob, DataError, ModelError, OutputError, Diverged, OutOfMemory, Interrupted,"
        + " Infrastructure, Internal; or why no trainer was started: ImagePullFailed, ContainerCreationFailed.")]
    public string Class { get; init; } = "";

    [Description("Optimizer steps done when it failed.")]
    public int Step { get; init; }

    [Length(maxLength: 4096)]
    public string Message { get; init; } = "";
}

internal sealed record MemoryStatus
{
    [Length(maxLength: 32), Description("The most that the trainer held.")]
    public string? Peak { get; init; }
}

/// <summary>The facts that decide which engine serves it are those of <see cref="Contract.AdapterFacts"/>, flat beside the rest.</summary>
internal sealed record ArtifactStatus
{
    public const int MaxModules = 64;

    [Length(maxLength: 1280)]
    public string Uri { get; init; } = "";

    [Length(maxLength: 71), Description("Digest of manifest.json, which holds the digest of every other file.")]
    public string Digest { get; init; } = "";
    public long Bytes { get; init; }

    [Length(maxLength: 32), Description("Adapter or Model.")]
    public string Kind { get; init; } = "";

    [Length(maxLength: 32), Description("The member of spec.method that made it.")]
    public string Method { get; init; } = "";

    [Description("Of a LoRA: its rank where no pattern says otherwise.")]
    public int? Rank { get; init; }

    [Description("Of a LoRA: the largest rank of any module, which an engine makes room for.")]
    public int? MaxRank { get; init; }

    [Description("Of a LoRA: what its scale is made from.")]
    public double? Alpha { get; init; }

    [Description("Of a LoRA: the scale is alpha / sqrt(rank).")]
    public bool? RsLora { get; init; }

    [Description("Of a LoRA: ranks or scales differ between modules.")]
    public bool? HasPatterns { get; init; }

    [Description("Of a LoRA: it has magnitude vectors.")]
    public bool? Dora { get; init; }

    [Length(maxLength: 16), Description("Biases that it brings, in PEFT's words: none, all, lora_only.")]
    public string? Bias { get; init; }

    [Items(maxItems: MaxModules), Length(maxLength: 256), Description("Last parts of the names of modules that it brings whole.")]
    public IList<string>? ModulesToSave { get; init; }

    [Description("Positions of the model that its soft prompt or prefix takes.")]
    public int? VirtualTokens { get; init; }

    [Description("It can be merged into the base model's weights.")]
    public bool? Mergeable { get; init; }

    [Items(maxItems: MaxModules), Length(maxLength: 256), Description("Last parts of the names of the modules that it tunes.")]
    public IList<string>? Targets { get; init; }

    [Length(maxLength: 64), Description("Type of its stored tensors, as safetensors names it.")]
    public string? Dtype { get; init; }

    [Description("Elements of its own tensors.")]
    public long? TrainableParameters { get; init; }

    [Description("Bytes of its weights' files.")]
    public long? WeightBytes { get; init; }

    [Length(maxLength: 64), Description("The base model's model_type.")]
    public string? ModelType { get; init; }

    [Length(maxLength: 32), Description("What it was made for, in PEFT's words: CAUSAL_LM or SEQ_CLS.")]
    public string? Task { get; init; }

    [Length(maxLength: 71), Description("Digest of the base model's weights.")]
    public string BaseDigest { get; init; } = "";

    [PropertyLimits(maxProperties: 20)]
    public IDictionary<string, double>? Metrics { get; init; }
}
