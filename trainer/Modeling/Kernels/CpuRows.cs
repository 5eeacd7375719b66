using System.Runtime.Intrinsics;

namespace Graft.Modeling.Kernels;

/// <summary>
/// What a block does to a few rows apart from products, in one pass over them. Inside it is float32; results are rounded where the
/// reference rounds them.
/// </summary>
internal static unsafe class CpuRows
{
    /// <summary>y = round(x / rms(x)) w for each row.</summary>
    public static void RmsNorm<T, TElements>(T* x, T* weight, T* y, int rows, int width, float epsilon)
        where T : unmanaged where TElements : IElements<T>
    {
        for (var r = 0; r < rows; r++)
        {
            T* row = x + (long)r * width, to = y + (long)r * width;
            var squares = Vector512<float>.Zero;
            var i = 0;
            for (; i + 16 <= width; i += 16)
            {
                var v = TElements.Load(row + i);
                squares = Vector512.FusedMultiplyAdd(v, v, squares);
            }
            var sum = Vector512.Sum(squares);
            for (; i < width; i++) sum += TElements.Widen(row[i]) * TElements.Widen(row[i]);
            var factor = 1 / MathF.Sqrt(sum / width + epsilon);
            for (i = 0; i + 16 <= width; i += 16)
                TElements.Store(TElements.Round(TElements.Load(row + i) * factor) * TElements.Load(weight + i), to + i);
            for (; i < width; i++)
                to[i] = TElements.Round(TElements.Widen(TElements.Round(TElements.Widen(row[i]) * factor)) * TElements.Widen(weight[i]));
        }
    }

    /// <summary>Turns element j and j + half of each head by the angle of its row; what is behind 2 half stays.</summary>
    /// <param name="x">(rows, heads, size).</param>
    /// <param name="cos">(rows, half).</param>
    public static void Rotate<T, TElements>(T* x, T* cos, T* sin, T* y, int rows, int heads, int size, int half)
        where T : unmanaged where TElements : IElements<T>
    {
        for (var r = 0; r < rows; r++)
        {
            T* c = cos + (long)r * half, s = sin + (long)r * half;
            for (var h = 0; h < heads; h++)
            {
                T* from = x + ((long)r * heads + h) * size, to = y + ((long)r * heads + h) * size;
                var j = 0;
                for (; j + 16 <= half; j += 16)
                {
                    var (a, b, vc, vs) = (TElements.Load(from + j), TElements.Load(from + half + j), TElements.Load(c + j),
                        TElements.Load(s + j));
                    TElements.Store(TElements.Round(a * vc) - TElements.Round(b * vs), to + j);
                    TElements.Store(TElements.Round(b * vc) + TElements.Round(a * vs), to + half + j);
                }
                for (; j < half; j++)
                {
                    var (a, b, vc, vs) = (TElements.Widen(from[j]), TElements.Widen(from[half + j]), TElements.Widen(c[j]),
                        TElements.Widen(s[j]));
                    to[j] = TElements.Round(Product(a, vc) - Product(b, vs));
                    to[half + j] = TElements.Round(Product(b, vc) + Product(a, vs));
                }
                for (j = 2 * half; j < size; j++) to[j] = from[j];
            }
        }

        static float Product(float a, float b) => TElements.Widen(TElements.Round(a * b));
    }

    /// <summary>y = round(silu(gate)) up.</summary>
    public static void SwiGlu<T, TElements>(T* gate, T* up, T* y, long count) where T : unmanaged where TElements : IElements<T>
    {
        var i = 0L;
        for (; i + 16 <= count; i += 16)
        {
            var g = TElements.Load(gate + i);
            TElements.Store(TElements.Round(g / (Vector512<float>.One + Vector512.Exp(-g))) * TElements.Load(up + i), y + i);
        }
        for (; i < count; i++)
        {
            var g = TElements.Widen(gate[i]);
            y[i] = TElements.Round(TElements.Widen(TElements.Round(g / (1 + MathF.Exp(-g)))) * TElements.Widen(up[i]));
        }
    }
}
