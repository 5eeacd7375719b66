using System.Globalization;

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

    /// <summary>What is being fetched, while <see cref="Phase"/> is <see cref="TrainerPhase.Fetching"/>.</summary>
    public DownloadProgress? Download { get; init; }

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

/// <param name="Source">As the person wrote it.</param>
/// <param name="Bytes">Fetched so far, what the cache had included.</param>
/// <param name="TotalBytes">As announced; 0 until known.</param>
/// <param name="Waits">For another process that fetches a part of it into the same cache.</param>
public sealed record DownloadProgress(string Source, long Bytes, long TotalBytes, bool Waits = false)
{
    private const string Waiting = "waits for another process that fetches it too";

    /// <summary>How far it is, for people: <c>34 % of 269.1 MB</c>.</summary>
    public override string ToString() => TotalBytes <= 0
        ? Waits ? Waiting : "asks for its files"
        : string.Create(CultureInfo.InvariantCulture, $"{100 * Bytes / TotalBytes} % of {Size(TotalBytes)}{(Waits ? ", " + Waiting : "")}");

    private static string Size(long bytes) => bytes switch
    {
        >= 1_000_000_000 => (bytes / 1e9).ToString("0.0 GB", CultureInfo.InvariantCulture),
        >= 1_000_000 => (bytes / 1e6).ToString("0.0 MB", CultureInfo.InvariantCulture),
        _ => (bytes / 1e3).ToString("0.0 kB", CultureInfo.InvariantCulture),
    };
}

public enum TrainerPhase { Starting, Fetching, LoadingModel, LoadingData, EvaluatingBase, Training, Evaluating, Saving, Succeeded, Failed }

/// <summary>Values the trainer chose where the job left them open.</summary>
public sealed record ResolvedOptions(double LearningRate, int MicroBatchSize, Precision Precision, string Device);
