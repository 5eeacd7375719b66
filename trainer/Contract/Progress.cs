namespace Graft.Contract;

/// <summary>
/// What <c>GET /progress</c> of a running trainer answers (port <see cref="ContractPorts.Trainer"/>). A snapshot: reading it
/// never waits for the training thread.
/// </summary>
public sealed record Progress
{
    public const string CurrentVersion = "graft.dev/progress/v1alpha1";

    public string Version { get; init; } = CurrentVersion;
    public required TrainerPhase Phase { get; init; }

    /// <summary>Optimizer steps done.</summary>
    public int Step { get; init; }

    /// <summary>Optimizer steps planned; 0 until known.</summary>
    public int Steps { get; init; }

    /// <summary>Mean loss per supervised token of the last step, in nats.</summary>
    public double? Loss { get; init; }
    public double? LearningRate { get; init; }

    /// <summary>Real tokens (prompt and answer, no padding) a second over the last steps.</summary>
    public double? TokensPerSecond { get; init; }
    public double? RemainingSeconds { get; init; }

    /// <summary>When the first optimizer step began.</summary>
    public DateTimeOffset? FirstStepTime { get; init; }
    public ResolvedOptions? Resolved { get; init; }
    public long? PeakMemoryBytes { get; init; }
}

public enum TrainerPhase { Starting, LoadingModel, LoadingData, EvaluatingBase, Training, Evaluating, Saving, Succeeded, Failed }

/// <summary>Values the trainer chose where the job left them open.</summary>
public sealed record ResolvedOptions(double LearningRate, int MicroBatchSize, Precision Precision, string Device);
