using Graft.Contract;

namespace Graft.Trainer.Reporting;

/// <summary>The run's latest snapshot. One writer, any number of readers, and nobody waits for anybody.</summary>
internal sealed class ProgressBoard
{
    private volatile Progress snapshot = new() { Phase = TrainerPhase.Starting };

    public Progress Snapshot => snapshot;

    /// <summary>Called by the run only.</summary>
    public void Post(Progress progress) => snapshot = progress;

    public void Post(TrainerPhase phase) => snapshot = snapshot with { Phase = phase };
}
