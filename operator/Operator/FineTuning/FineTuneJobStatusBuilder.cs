using System.Globalization;
using Graft.Contract;
using Graft.Operator.Api;
using k8s.Models;

namespace Graft.Operator.FineTuning;

/// <summary>(resource, what was observed, state) -> status. Pure; equal inputs give equal status, so nothing is written twice.</summary>
internal static class FineTuneJobStatusBuilder
{
    public static FineTuneJobStatus Build(FineTuneJob resource, FineTuneJobView view, RunState state, DateTimeOffset now)
    {
        var (phase, conditions) = Describe(state, view.Progress);
        var before = resource.Status ?? new();
        var result = (state as RunState.Succeeded)?.Result;
        var owned = state is not RunState.Conflict;
        return Common(resource, phase, conditions, now) with
        {
            Resolved = Resolved(result?.Resolved ?? view.Progress?.Resolved) ?? before.Resolved,
            Progress = result is not null ? Done(result, before.Progress) : Progress(view.Progress) ?? before.Progress,
            Attempts = owned ? Attempts.Update(before.Attempts, view.Pods, state as RunState.NeverStarted) : before.Attempts,
            Memory = (result?.PeakMemoryBytes ?? view.Progress?.PeakMemoryBytes) is { } peak
                ? new() { Peak = Mebibytes(peak) }
                : before.Memory,
            Artifact = result?.Artifact is { } artifact ? ArtifactFacts.Status(artifact) : before.Artifact,
        };
    }

    public static FineTuneJobStatus Failed(FineTuneJob resource, string reason, string message, DateTimeOffset now) =>
        Common(resource, FineTuneJobPhase.Failed, FineTuneJobConditions.Failed(reason, message), now);

    /// <summary>The same conditions, said of a newer generation.</summary>
    public static IList<V1Condition> Observe(IEnumerable<V1Condition> conditions, long? generation) =>
        [.. conditions.Select(c => new V1Condition
        {
            Type = c.Type,
            Status = c.Status,
            Reason = c.Reason,
            Message = c.Message,
            LastTransitionTime = c.LastTransitionTime,
            ObservedGeneration = generation,
        })];

    private static FineTuneJobStatus Common(
        FineTuneJob resource, string phase, IReadOnlyList<V1Condition> conditions, DateTimeOffset now) =>
        (resource.Status ?? new()) with
        {
            ObservedGeneration = resource.Metadata.Generation,
            Phase = phase,
            Method = resource.Spec.Method.Name,
            Gpu = resource.Spec.Resources?.Gpu?.ToString(),
            Conditions = Graft.Runtime.Conditions.Set(resource.Status?.Conditions, resource.Metadata.Generation, now, conditions),
        };

    private static (string Phase, IReadOnlyList<V1Condition> Conditions) Describe(RunState state, Progress? progress)
    {
        switch (state)
        {
            case RunState.Running running when progress is { Phase: TrainerPhase.Fetching, Download: { } download }:
                return Pending($"pod {running.Pod.Metadata.Name} fetches {download.Source}: {download}");
            case RunState.Running running:
                var phase = progress?.Phase == TrainerPhase.Evaluating ? FineTuneJobPhase.Evaluating : FineTuneJobPhase.Running;
                return (phase, FineTuneJobConditions.Ongoing(phase, $"pod {running.Pod.Metadata.Name} {Doing(progress?.Phase)}"));
            case RunState.Ending:
                const string ending = "the trainer has ended; its Job is being closed";
                return (FineTuneJobPhase.Running, FineTuneJobConditions.Ongoing(FineTuneJobPhase.Running, ending));
            case RunState.Retrying retrying:
                var failure = retrying.Failure;
                return Pending($"attempt {retrying.Attempts} failed, another follows: {failure.Class}: {failure.Message}");
            case RunState.ResultLost:
                return Pending("the result was lost with its pod; the trainer is asked again, and finds what it made");
            case RunState.Pending pending:
                return (FineTuneJobPhase.Pending,
                    FineTuneJobConditions.Ongoing(FineTuneJobPhase.Pending, pending.Message, pending.Trouble));
            case RunState.Suspended:
                return (FineTuneJobPhase.Suspended, FineTuneJobConditions.Suspended);
            case RunState.Conflict { WillPass: true } conflict:
                return Pending(conflict.Message);
            case RunState.Conflict conflict:
                return (FineTuneJobPhase.Failed, FineTuneJobConditions.Failed(Reasons.NameConflict, conflict.Message));
            case RunState.Failed failed:
                return (FineTuneJobPhase.Failed, FineTuneJobConditions.Failed(failed.Reason, failed.Message));
            case RunState.NeverStarted never:
                return (FineTuneJobPhase.Failed, FineTuneJobConditions.Failed(never.Reason, never.Message));
            case RunState.Succeeded succeeded:
                return (FineTuneJobPhase.Succeeded, FineTuneJobConditions.Succeeded(Summary(succeeded.Result)));
            default:
                throw new ArgumentOutOfRangeException(nameof(state));
        }
    }

    private static (string, IReadOnlyList<V1Condition>) Pending(string message) =>
        (FineTuneJobPhase.Pending, FineTuneJobConditions.Ongoing(FineTuneJobPhase.Pending, message));

    private static string Doing(TrainerPhase? phase) => phase switch
    {
        TrainerPhase.Fetching => "fetches what it needs",
        TrainerPhase.LoadingModel => "loads the model",
        TrainerPhase.LoadingData => "loads the data",
        TrainerPhase.EvaluatingBase => "evaluates the base model",
        TrainerPhase.Training => "trains",
        TrainerPhase.Evaluating => "evaluates the result",
        TrainerPhase.Saving or TrainerPhase.Succeeded => "saves the artifact",
        TrainerPhase.Failed => "is ending",
        TrainerPhase.Starting => "is starting",
        _ => "runs",
    };

    private static string Summary(TrainingResult result) =>
        result.Reused
            ? $"found the artifact of this very run at {result.Artifact!.Uri}"
            : $"trained {result.Steps} steps; the artifact is {result.Artifact!.Uri}";

    private static ResolvedStatus? Resolved(ResolvedOptions? options) => options is null ? null : new()
    {
        LearningRate = options.LearningRate,
        MicroBatchSize = options.MicroBatchSize,
        Precision = options.Precision.ToString(),
        Device = options.Device,
    };

    private static ProgressStatus? Progress(Progress? progress) => progress is null or { Steps: 0 } ? null : new()
    {
        Step = progress.Step,
        Steps = progress.Steps,
        Percent = (int)(100L * progress.Step / progress.Steps),
        Loss = Loss(progress.Loss),
        TokensPerSecond = progress.TokensPerSecond is { } rate && double.IsFinite(rate) ? (long)rate : null,
        Remaining = progress.RemainingSeconds is { } seconds and >= 0 and < 1e8
            ? ShortDuration.Format(TimeSpan.FromSeconds(seconds))
            : null,
    };

    private static ProgressStatus Done(TrainingResult result, ProgressStatus? last) => new()
    {
        Step = result.Steps,
        Steps = result.Steps,
        Percent = 100,
        Loss = Loss(result.Loss),
        TokensPerSecond = last?.TokensPerSecond,
    };

    private static string? Loss(double? loss) =>
        loss is { } value && double.IsFinite(value) ? value.ToString("0.0000", CultureInfo.InvariantCulture) : null;

    private static string Mebibytes(long bytes) => $"{(bytes + (1 << 20) - 1) >> 20}Mi";
}
