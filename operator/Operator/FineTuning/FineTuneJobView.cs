using Graft.Contract;
using k8s.Models;

namespace Graft.Operator.FineTuning;

/// <summary>What was observed of a run's children in one pass.</summary>
internal sealed record FineTuneJobView
{
    public static FineTuneJobView Empty { get; } = new();

    /// <summary>The Job of the run's name, whoever owns it.</summary>
    public V1Job? Job { get; init; }

    /// <summary>Pods of that Job, the oldest first.</summary>
    public IReadOnlyList<V1Pod> Pods { get; init; } = [];

    /// <summary>What the running trainer answered; null when none runs, or it gave no answer in time.</summary>
    public Progress? Progress { get; init; }

    public IEnumerable<V1Pod> Ended => Pods.Where(p => PodOutcome.Of(p) is not null);

    /// <summary>The pod that trains or is about to.</summary>
    public V1Pod? Active => Pods.LastOrDefault(p => PodOutcome.Of(p) is null && p.Metadata.DeletionTimestamp is null);
}
