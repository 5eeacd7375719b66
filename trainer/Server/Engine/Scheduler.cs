namespace Graft.Server.Engine;

/// <param name="MaxSequences">Sequences that run at once.</param>
/// <param name="MaxWaiting">Sequences that may wait; more are refused.</param>
/// <param name="PromptTokensPerStep">
/// Prompt tokens that one step takes in. A long prompt enters over several steps, so that those who already get their answer wait for
/// a piece of it and not for all of it.
/// </param>
internal sealed record EngineLimits(int MaxSequences = 16, int MaxWaiting = 256, int PromptTokensPerStep = 256);

/// <summary>Which sequences take part in the next step. It neither waits nor computes.</summary>
internal sealed class Scheduler(EngineLimits limits)
{
    private readonly Queue<Sequence> waiting = new();
    private readonly List<Sequence> running = [];

    public int Waiting => waiting.Count;
    public int Running => running.Count;
    public bool IsIdle => waiting.Count + running.Count == 0;

    /// <summary>All that waits or runs.</summary>
    public IEnumerable<Sequence> All => running.Concat(waiting);

    public void Add(Sequence sequence) => waiting.Enqueue(sequence);

    /// <summary>Sequences that ended give up their places; waiting ones take them, first come first served.</summary>
    public IReadOnlyList<Sequence> Schedule()
    {
        running.RemoveAll(s => s.State == SequenceState.Finished);
        while (running.Count < limits.MaxSequences && waiting.TryDequeue(out var next))
        {
            if (next.State != SequenceState.Finished) running.Add(next);
        }
        return running;
    }
}
