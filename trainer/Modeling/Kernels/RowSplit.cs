using static TorchSharp.torch;

namespace Graft.Modeling.Kernels;

/// <summary>Shares long work on rows out among threads.</summary>
internal static class RowSplit
{
    /// <summary>Elements that one piece of work has, so that waking another thread pays.</summary>
    private const long PieceElements = 1 << 16;

    /// <summary>Runs work on ranges of rows (first, end), on as many threads as torch may use.</summary>
    /// <param name="work">May not throw.</param>
    public static void Run(long rows, long width, Action<long, long> work)
    {
        var pieces = Math.Min(get_num_threads(), rows * width / PieceElements);
        if (pieces <= 1) work(0, rows);
        else Parallel.For(0, pieces, p => work(rows * p / pieces, rows * (p + 1) / pieces));
    }
}
