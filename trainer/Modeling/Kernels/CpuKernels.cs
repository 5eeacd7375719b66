using System.Runtime.Intrinsics;

namespace Graft.Modeling.Kernels;

/// <summary>
/// Float32 kernels for the processor, where libtorch would run several operators over memory and keep what lies between them.
/// All take rows of contiguous elements, and work on as many threads as torch may use.
/// </summary>
internal static unsafe class CpuKernels
{
    /// <summary>y = f(g) u.</summary>
    public static void Gated(float* gate, float* up, float* y, long count, SigmoidCurve curve) => RowSplit.Run(count, 1, (first, end) =>
    {
        var (linear, cubic) = ((float)curve.Linear, (float)curve.Cubic);
        var i = first;
        for (; i + 16 <= end; i += 16)
        {
            var g = Vector512.Load(gate + i);
            (g * Sigmoid(g * (Vector512.Create(linear) + g * g * cubic)) * Vector512.Load(up + i)).Store(y + i);
        }
        for (; i < end; i++) y[i] = gate[i] * Sigmoid(gate[i] * (linear + gate[i] * gate[i] * cubic)) * up[i];
    });

    /// <summary>Gradients of <see cref="Gated"/>: du = dy f(g), dg = dy u s (1 + g p'(g) (1 - s)) with s the sigmoid of p(g).</summary>
    public static void GatedBackward(
        float* dy, float* gate, float* up, float* dGate, float* dUp, long count, SigmoidCurve curve) => RowSplit.Run(count, 1, (first, end) =>
    {
        var (linear, cubic) = ((float)curve.Linear, (float)curve.Cubic);
        var one = Vector512<float>.One;
        var i = first;
        for (; i + 16 <= end; i += 16)
        {
            var (d, g) = (Vector512.Load(dy + i), Vector512.Load(gate + i));
            var bent = g * g * cubic;
            var s = Sigmoid(g * (Vector512.Create(linear) + bent));
            (d * g * s).Store(dUp + i);
            (d * Vector512.Load(up + i) * s * (one + g * (Vector512.Create(linear) + bent * 3f) * (one - s))).Store(dGate + i);
        }
        for (; i < end; i++)
        {
            var bent = gate[i] * gate[i] * cubic;
            var s = Sigmoid(gate[i] * (linear + bent));
            dUp[i] = dy[i] * gate[i] * s;
            dGate[i] = dy[i] * up[i] * s * (1 + gate[i] * (linear + 3 * bent) * (1 - s));
        }
    });

    /// <summary>y = x w / rms(x) for each row; <paramref name="scale"/> keeps 1 / rms.</summary>
    public static void RmsNorm(float* x, float* weight, float* y, float* scale, long rows, int width, float epsilon) => RowSplit.Run(rows, width, (first, end) =>
    {
        for (var r = first; r < end; r++)
        {
            float* row = x + r * width, to = y + r * width;
            var factor = 1 / MathF.Sqrt(Dot(row, row, width) / width + epsilon);
            scale[r] = factor;
            var i = 0;
            for (; i + 16 <= width; i += 16) (Vector512.Load(row + i) * factor * Vector512.Load(weight + i)).Store(to + i);
            for (; i < width; i++) to[i] = row[i] * factor * weight[i];
        }
    });

    /// <summary>dx = k (dy w) - x k^3 mean(dy w x), k being 1 / rms.</summary>
    public static void RmsNormBackward(float* dy, float* x, float* weight, float* scale, float* dx, long rows, int width) => RowSplit.Run(rows, width, (first, end) =>
    {
        for (var r = first; r < end; r++)
        {
            float* d = dy + r * width, row = x + r * width, to = dx + r * width;
            var sum = Vector512<float>.Zero;
            var i = 0;
            for (; i + 16 <= width; i += 16) sum += Vector512.Load(d + i) * Vector512.Load(weight + i) * Vector512.Load(row + i);
            var dot = Vector512.Sum(sum);
            for (; i < width; i++) dot += d[i] * weight[i] * row[i];
            var k = scale[r];
            var pull = k * k * k * dot / width;
            for (i = 0; i + 16 <= width; i += 16)
                (Vector512.Load(d + i) * Vector512.Load(weight + i) * k - Vector512.Load(row + i) * pull).Store(to + i);
            for (; i < width; i++) to[i] = d[i] * weight[i] * k - row[i] * pull;
        }
    });

    /// <summary>Turns element j and j + half of each head by the angle of its row; backwards by the opposite angle.</summary>
    /// <param name="x">(rows, heads, 2 half).</param>
    /// <param name="cos">(rows, half).</param>
    public static void Rotate(float* x, float* cos, float* sin, float* y, long rows, int heads, int half, bool backwards) => RowSplit.Run(rows, heads * half, (first, end) =>
    {
        var direction = backwards ? -1f : 1f;
        for (var r = first; r < end; r++)
        {
            float* c = cos + r * half, s = sin + r * half;
            for (var h = 0; h < heads; h++)
            {
                float* a = x + (r * heads + h) * 2 * half, b = a + half, to = y + (r * heads + h) * 2 * half;
                var j = 0;
                for (; j + 16 <= half; j += 16)
                {
                    var (va, vb, vc, vs) = (Vector512.Load(a + j), Vector512.Load(b + j), Vector512.Load(c + j), Vector512.Load(s + j) * direction);
                    (va * vc - vb * vs).Store(to + j);
                    (vb * vc + va * vs).Store(to + half + j);
                }
                for (; j < half; j++)
                {
                    var (va, vb, vs) = (a[j], b[j], s[j] * direction);
                    to[j] = va * c[j] - vb * vs;
                    to[half + j] = vb * c[j] + va * vs;
                }
            }
        }
    });

    private static float Dot(float* a, float* b, int width)
    {
        var sum = Vector512<float>.Zero;
        var i = 0;
        for (; i + 16 <= width; i += 16) sum += Vector512.Load(a + i) * Vector512.Load(b + i);
        var dot = Vector512.Sum(sum);
        for (; i < width; i++) dot += a[i] * b[i];
        return dot;
    }

    private static Vector512<float> Sigmoid(Vector512<float> x) => Vector512<float>.One / (Vector512<float>.One + Vector512.Exp(-x));

    private static float Sigmoid(float x) => 1 / (1 + MathF.Exp(-x));
}
