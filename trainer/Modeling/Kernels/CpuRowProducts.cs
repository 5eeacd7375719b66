using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Graft.Modeling.Kernels;

/// <summary>
/// Products of a few rows with a weight, as in decoding. Each weight is read from memory once for all rows, and each row's sum is built
/// in the same order however many rows there are: an answer does not depend on what else is in its batch.
/// </summary>
internal static unsafe class CpuRowProducts
{
    /// <summary>Bytes of weights in a piece of work.</summary>
    private const int PieceBytes = 1 << 16;

    /// <summary>y = x w'.</summary>
    /// <param name="x">(rows, inner).</param>
    /// <param name="weight">(outer, inner).</param>
    /// <param name="y">(rows, outer).</param>
    public static void Multiply<T, TElements>(T* x, T* weight, T* y, int rows, int inner, int outer)
        where T : unmanaged where TElements : IElements<T>
    {
        var arranged = ArrayPool<float>.Shared.Rent(rows * inner);
        try
        {
            fixed (float* to = arranged)
            {
                var at = to;
                for (var r = 0; r < rows; r++) Arrange<T, TElements>(x + (long)r * inner, at + r * inner, inner);
                var each = Math.Max(4, PieceBytes / sizeof(T) / inner / 4 * 4);
                CpuTeam.Shared.Run((outer + each - 1) / each, piece =>
                {
                    var end = Math.Min(outer, (piece + 1) * each);
                    var o = piece * each;
                    for (; o + 4 <= end; o += 4) Four<T, TElements>(at, weight + (long)o * inner, y + o, rows, inner, outer);
                    for (; o < end; o++) One<T, TElements>(at, weight + (long)o * inner, y + o, rows, inner, outer);
                });
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(arranged);
        }
    }

    private static void Arrange<T, TElements>(T* from, float* to, int count) where T : unmanaged where TElements : IElements<T>
    {
        var i = 0;
        for (; i + 32 <= count; i += 32)
        {
            TElements.First(from + i).Store(to + i);
            TElements.Second(from + i).Store(to + i + 16);
        }
        for (; i < count; i++) to[i] = TElements.Widen(from[i]);
    }

    /// <summary>Four outputs of every row.</summary>
    private static void Four<T, TElements>(float* x, T* w, T* y, int rows, int inner, int outer) where T : unmanaged where TElements
        : IElements<T>
    {
        var r = 0;
        for (; r + 4 <= rows; r += 4) FourByFour<T, TElements>(x + (long)r * inner, w, y + (long)r * outer, inner, outer);
        for (; r < rows; r++) FourByOne<T, TElements>(x + (long)r * inner, w, y + (long)r * outer, inner);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void FourByOne<T, TElements>(float* x, T* w0, T* y, int inner) where T : unmanaged where TElements : IElements<T>
    {
        T* w1 = w0 + inner, w2 = w1 + inner, w3 = w2 + inner;
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
        var (i, ahead) = (0, Ahead(inner));
        for (; i + 32 <= inner; i += 32)
        {
            Prefetch(w0 + i, w1 + i, w2 + i, w3 + i, ahead);
            var (x0, x1) = (Vector512.Load(x + i), Vector512.Load(x + i + 16));
            var p = TElements.First(w0 + i);
            var q = TElements.Second(w0 + i);
            a0 = Vector512.FusedMultiplyAdd(q, x1, Vector512.FusedMultiplyAdd(p, x0, a0));
            p = TElements.First(w1 + i);
            q = TElements.Second(w1 + i);
            a1 = Vector512.FusedMultiplyAdd(q, x1, Vector512.FusedMultiplyAdd(p, x0, a1));
            p = TElements.First(w2 + i);
            q = TElements.Second(w2 + i);
            a2 = Vector512.FusedMultiplyAdd(q, x1, Vector512.FusedMultiplyAdd(p, x0, a2));
            p = TElements.First(w3 + i);
            q = TElements.Second(w3 + i);
            a3 = Vector512.FusedMultiplyAdd(q, x1, Vector512.FusedMultiplyAdd(p, x0, a3));
        }
        Finish<T, TElements>(a0, a1, a2, a3, x, w0, y, i, inner);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void FourByFour<T, TElements>(float* x0, T* w0, T* y, int inner, int outer) where T : unmanaged where TElements
        : IElements<T>
    {
        float* x1 = x0 + inner, x2 = x1 + inner, x3 = x2 + inner;
        T* w1 = w0 + inner, w2 = w1 + inner, w3 = w2 + inner;
        Vector512<float> a00 = default, a01 = default, a02 = default, a03 = default, a10 = default, a11 = default, a12 = default,
            a13 = default;
        Vector512<float> a20 = default, a21 = default, a22 = default, a23 = default, a30 = default, a31 = default, a32 = default,
            a33 = default;
        var (i, ahead) = (0, Ahead(inner));
        for (; i + 32 <= inner; i += 32)
        {
            Prefetch(w0 + i, w1 + i, w2 + i, w3 + i, ahead);
            var (b0, b1, b2, b3) = (Vector512.Load(x0 + i), Vector512.Load(x1 + i), Vector512.Load(x2 + i), Vector512.Load(x3 + i));
            var (c0, c1, c2, c3) = (Vector512.Load(x0 + i + 16), Vector512.Load(x1 + i + 16), Vector512.Load(x2 + i + 16),
                Vector512.Load(x3 + i + 16));
            var p = TElements.First(w0 + i);
            var q = TElements.Second(w0 + i);
            a00 = Vector512.FusedMultiplyAdd(q, c0, Vector512.FusedMultiplyAdd(p, b0, a00));
            a01 = Vector512.FusedMultiplyAdd(q, c1, Vector512.FusedMultiplyAdd(p, b1, a01));
            a02 = Vector512.FusedMultiplyAdd(q, c2, Vector512.FusedMultiplyAdd(p, b2, a02));
            a03 = Vector512.FusedMultiplyAdd(q, c3, Vector512.FusedMultiplyAdd(p, b3, a03));
            p = TElements.First(w1 + i);
            q = TElements.Second(w1 + i);
            a10 = Vector512.FusedMultiplyAdd(q, c0, Vector512.FusedMultiplyAdd(p, b0, a10));
            a11 = Vector512.FusedMultiplyAdd(q, c1, Vector512.FusedMultiplyAdd(p, b1, a11));
            a12 = Vector512.FusedMultiplyAdd(q, c2, Vector512.FusedMultiplyAdd(p, b2, a12));
            a13 = Vector512.FusedMultiplyAdd(q, c3, Vector512.FusedMultiplyAdd(p, b3, a13));
            p = TElements.First(w2 + i);
            q = TElements.Second(w2 + i);
            a20 = Vector512.FusedMultiplyAdd(q, c0, Vector512.FusedMultiplyAdd(p, b0, a20));
            a21 = Vector512.FusedMultiplyAdd(q, c1, Vector512.FusedMultiplyAdd(p, b1, a21));
            a22 = Vector512.FusedMultiplyAdd(q, c2, Vector512.FusedMultiplyAdd(p, b2, a22));
            a23 = Vector512.FusedMultiplyAdd(q, c3, Vector512.FusedMultiplyAdd(p, b3, a23));
            p = TElements.First(w3 + i);
            q = TElements.Second(w3 + i);
            a30 = Vector512.FusedMultiplyAdd(q, c0, Vector512.FusedMultiplyAdd(p, b0, a30));
            a31 = Vector512.FusedMultiplyAdd(q, c1, Vector512.FusedMultiplyAdd(p, b1, a31));
            a32 = Vector512.FusedMultiplyAdd(q, c2, Vector512.FusedMultiplyAdd(p, b2, a32));
            a33 = Vector512.FusedMultiplyAdd(q, c3, Vector512.FusedMultiplyAdd(p, b3, a33));
        }
        Finish<T, TElements>(a00, a10, a20, a30, x0, w0, y, i, inner);
        Finish<T, TElements>(a01, a11, a21, a31, x1, w0, y + outer, i, inner);
        Finish<T, TElements>(a02, a12, a22, a32, x2, w0, y + 2L * outer, i, inner);
        Finish<T, TElements>(a03, a13, a23, a33, x3, w0, y + 3L * outer, i, inner);
    }

    /// <summary>Elements to the same place some fours of rows further on.</summary>
    private static int Ahead(int inner) => inner * 4 * (inner < 1024 ? 2 : 1);

    /// <summary>
    /// Asks memory for what comes later. Four rows are read at once, each too short for the processor to see where it leads. Addresses
    /// behind the last row do no harm.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch<T>(T* w0, T* w1, T* w2, T* w3, int ahead) where T : unmanaged
    {
        if (!Sse.IsSupported) return;
        Sse.Prefetch0(w0 + ahead);
        Sse.Prefetch0(w1 + ahead);
        Sse.Prefetch0(w2 + ahead);
        Sse.Prefetch0(w3 + ahead);
        if (sizeof(T) < 4) return;
        // 32 elements of four bytes are two lines.
        Sse.Prefetch0(w0 + ahead + 16);
        Sse.Prefetch0(w1 + ahead + 16);
        Sse.Prefetch0(w2 + ahead + 16);
        Sse.Prefetch0(w3 + ahead + 16);
    }

    /// <summary>One output of every row.</summary>
    private static void One<T, TElements>(float* x, T* w, T* y, int rows, int inner, int outer) where T : unmanaged where TElements
        : IElements<T>
    {
        for (var r = 0; r < rows; r++)
        {
            var row = x + (long)r * inner;
            Vector512<float> sum = default;
            var i = 0;
            for (; i + 32 <= inner; i += 32)
            {
                var p = TElements.First(w + i);
                var q = TElements.Second(w + i);
                sum = Vector512.FusedMultiplyAdd(q, Vector512.Load(row + i + 16),
                    Vector512.FusedMultiplyAdd(p, Vector512.Load(row + i), sum));
            }
            y[(long)r * outer] = Finish<T, TElements>(sum, row, w, i, inner);
        }
    }

    /// <summary>What is left of four sums, and rounds them.</summary>
    /// <param name="from">Elements before it are summed.</param>
    private static void Finish<T, TElements>(
        Vector512<float> s0, Vector512<float> s1, Vector512<float> s2, Vector512<float> s3, float* x, T* w, T* y, int from, int inner)
        where T : unmanaged where TElements : IElements<T>
    {
        var sums = Sum(s0, s1, s2, s3);
        for (var i = from; i < inner; i++)
        {
            sums += Vector128.Create(x[i]) * Vector128.Create(
                TElements.Widen(w[i]), TElements.Widen(w[inner + i]), TElements.Widen(w[2L * inner + i]),
                    TElements.Widen(w[3L * inner + i]));
        }
        TElements.Store(sums, y);
    }

    /// <summary>The sums of four vectors at once, which is a quarter of the work of one after another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Sum(Vector512<float> s0, Vector512<float> s1, Vector512<float> s2, Vector512<float> s3)
    {
        if (!Sse.IsSupported) return Vector128.Create(Vector512.Sum(s0), Vector512.Sum(s1), Vector512.Sum(s2), Vector512.Sum(s3));
        var (a, b, c, d) = (Quarter(s0), Quarter(s1), Quarter(s2), Quarter(s3));
        var ab = Sse.UnpackLow(a, b) + Sse.UnpackHigh(a, b);                // a0 + a2, b0 + b2, a1 + a3, b1 + b3
        var cd = Sse.UnpackLow(c, d) + Sse.UnpackHigh(c, d);
        return Sse.MoveLowToHigh(ab, cd) + Sse.MoveHighToLow(cd, ab);

        static Vector128<float> Quarter(Vector512<float> v)
        {
            var half = v.GetLower() + v.GetUpper();
            return half.GetLower() + half.GetUpper();
        }
    }

    private static T Finish<T, TElements>(Vector512<float> sums, float* x, T* w, int from, int inner) where T : unmanaged where TElements
        : IElements<T>
    {
        var sum = Vector512.Sum(sums);
        for (var i = from; i < inner; i++) sum += x[i] * TElements.Widen(w[i]);
        return TElements.Round(sum);
    }
}
