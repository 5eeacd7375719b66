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

internal sealed record ArtifactStatus
{
    [Length(maxLength: 1280)]
    public string Uri { get; init; } = "";

    [Length(maxLength: 71), Description("Digest of manifest.json, which holds the digest of every other file.")]
    public string Digest { get; init; } = "";
    public long Bytes { get; init; }

    [Length(maxLength: 32), Description("Adapter or Model.")]
    public string Kind { get; init; } = "";

    [Length(maxLength: 32)]
    public string Method { get; init; } = "";
    public int? Rank { get; init; }

    [Items(maxItems: 64), Length(maxLength: 256)]
    public IList<string>? Targets { get; init; }

    [Length(maxLength: 71)]
    public string BaseDigest { get; init; } = "";

    [PropertyLimits(maxProperties: 20)]
    public IDictionary<string, double>? Metrics { get; init; }
}
