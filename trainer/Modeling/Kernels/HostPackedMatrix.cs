using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Graft.Modeling.Files;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling.Kernels;

/// <summary>A packed matrix in the processor's memory, which is widened row by row, on as many threads as torch may use.</summary>
internal abstract unsafe class HostPackedMatrix(long rows, long columns) : PackedMatrix(rows, columns)
{
    /// <summary>Rows of activations up to which <see cref="TryMultiply"/> is faster: those of decoding.</summary>
    private const int FewRows = 16;

    /// <summary>Writes one row in float32. Several threads do so at once.</summary>
    protected abstract void WidenRow(long row, float* target);

    public override Tensor Widen(long first, long count, ScalarType dtype)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + count, Rows);
        return Write(count, i => first + i, dtype);
    }

    /// <summary>
    /// Each row is widened into the nearest cache and multiplied there, so that memory is read once and in few bits. Sums are float32.
    /// </summary>
    public override Tensor? TryMultiply(Tensor x)
    {
        if (x.size(0) > FewRows) return null;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var inputs = x.to_type(ScalarType.Float32).contiguous();
        var (count, columns, rows) = (x.size(0), Columns, Rows);
        var result = empty([count, rows], ScalarType.Float32);
        TensorMemory.Use<float>(inputs, result, (from, to) => RowSplit.Run(rows, columns, (first, end) =>
        {
            var buffer = (float*)NativeMemory.AlignedAlloc((nuint)columns * 4, 64);
            for (var row = first; row < end; row++)
            {
                WidenRow(row, buffer);
                for (long n = 0; n < count; n++) to[n * rows + row] = Dot(buffer, from + n * columns, columns);
            }
            NativeMemory.AlignedFree(buffer);
        }));
        GC.KeepAlive(this);
        return result.to_type(x.dtype).MoveToOuterDisposeScope();
    }

    public override Tensor Gather(Tensor ids, ScalarType dtype)
    {
        using var here = ids.cpu().to_type(ScalarType.Int64).contiguous();
        var numbers = here.data<long>().ToArray();
        foreach (var number in numbers)
            if (number < 0 || number >= Rows) throw new ArgumentOutOfRangeException(nameof(ids), number, $"there are {Rows} rows");
        return Write(numbers.Length, i => numbers[i], dtype);
    }

    private Tensor Write(long count, Func<long, long> rowOf, ScalarType dtype)
    {
        var result = empty([count, Columns], dtype);
        var size = (int)result.element_size();
        TensorMemory.Use<byte>(result, target => RowSplit.Run(count, Columns, (first, end) =>
        {
            var buffer = dtype == ScalarType.Float32 ? null : (float*)NativeMemory.Alloc((nuint)Columns, 4);
            for (var i = first; i < end; i++)
            {
                var to = target + i * Columns * size;
                WidenRow(rowOf(i), buffer == null ? (float*)to : buffer);
                if (buffer != null) Narrowing.Store(buffer, to, Columns, dtype);
            }
            NativeMemory.Free(buffer);
        }));
        GC.KeepAlive(this);
        return result;
    }

    private static float Dot(float* a, float* b, long count)
    {
        Vector512<float> first = Vector512<float>.Zero, second = Vector512<float>.Zero;
        long i = 0;
        for (; i + 32 <= count; i += 32)
        {
            first = Vector512.FusedMultiplyAdd(Vector512.Load(a + i), Vector512.Load(b + i), first);
            second = Vector512.FusedMultiplyAdd(Vector512.Load(a + i + 16), Vector512.Load(b + i + 16), second);
        }
        var sum = Vector512.Sum(first + second);
        for (; i < count; i++) sum += a[i] * b[i];
        return sum;
    }
}
