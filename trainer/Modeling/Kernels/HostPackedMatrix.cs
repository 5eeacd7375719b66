using System.Runtime.InteropServices;
using Graft.Modeling.Files;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling.Kernels;

/// <summary>A packed matrix in the processor's memory, which is widened row by row, on all processors.</summary>
internal abstract unsafe class HostPackedMatrix(long rows, long columns) : PackedMatrix(rows, columns)
{
    /// <summary>Elements that one piece of work has, so that small parts are not cut up.</summary>
    private const long PieceElements = 1 << 16;

    /// <summary>Writes one row in float32. Several threads do so at once.</summary>
    protected abstract void WidenRow(long row, float* target);

    public override Tensor Widen(long first, long count, ScalarType dtype)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + count, Rows);
        return Write(count, i => first + i, dtype);
    }

    public override Tensor Gather(Tensor ids, ScalarType dtype)
    {
        using var here = ids.cpu().contiguous();
        var count = here.numel();
        var numbers = (long*)Aten.DataPointer(here);
        for (long i = 0; i < count; i++)
            if (numbers[i] < 0 || numbers[i] >= Rows) throw new ArgumentOutOfRangeException(nameof(ids), numbers[i], $"there are {Rows} rows");
        return Write(count, i => numbers[i], dtype);
    }

    private Tensor Write(long count, Func<long, long> rowOf, ScalarType dtype)
    {
        var result = empty([count, Columns], dtype);
        var target = (byte*)Aten.DataPointer(result);
        var size = (int)result.element_size();
        Split(count, Columns, (first, end) =>
        {
            var buffer = dtype == ScalarType.Float32 ? null : (float*)NativeMemory.Alloc((nuint)Columns, 4);
            for (var i = first; i < end; i++)
            {
                var to = target + i * Columns * size;
                WidenRow(rowOf(i), buffer == null ? (float*)to : buffer);
                if (buffer != null) Narrowing.Store(buffer, to, Columns, dtype);
            }
            NativeMemory.Free(buffer);
        });
        return result;
    }

    /// <summary>Runs work on ranges of rows, on as many threads as torch may use.</summary>
    public static void Split(long rows, long columns, Action<long, long> work)
    {
        var pieces = Math.Min(get_num_threads(), rows * columns / PieceElements);
        if (pieces <= 1) work(0, rows);
        else Parallel.For(0, pieces, p => work(rows * p / pieces, rows * (p + 1) / pieces));
    }
}
