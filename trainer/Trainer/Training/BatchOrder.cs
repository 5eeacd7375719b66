using Graft.Contract;
using Graft.Trainer.Data;

namespace Graft.Trainer.Training;

/// <summary>Which rows make which step: a permutation per epoch by the seed, or the order of the file.</summary>
/// <param name="rows">Rows to learn from.</param>
/// <param name="batchSize">Rows of a step; the last step of an epoch takes what is left.</param>
internal sealed class BatchOrder(int rows, int batchSize, long seed, bool shuffle)
{
    private readonly int[] order = new int[rows];
    private long epochInOrder = -1;

    public int StepsPerEpoch { get; } = (rows + batchSize - 1) / batchSize;

    public int Steps(TrainingDuration duration) =>
        duration.Steps ?? (int)Math.Min(int.MaxValue, Math.Max(1, Math.Ceiling(Math.Round(duration.Epochs!.Value * StepsPerEpoch, 6))));

    /// <summary>Indices of the rows of a step, counted from 0 over all epochs.</summary>
    public ReadOnlySpan<int> Rows(int step)
    {
        var epoch = step / StepsPerEpoch;
        if (epoch != epochInOrder)
        {
            if (shuffle) Shuffling.Fill(order, seed, epoch);
            else for (var i = 0; i < order.Length; i++) order[i] = i;
            epochInOrder = epoch;
        }
        var start = step % StepsPerEpoch * batchSize;
        return order.AsSpan(start, Math.Min(batchSize, order.Length - start));
    }
}
