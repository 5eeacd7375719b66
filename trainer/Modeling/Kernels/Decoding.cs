using System.Runtime.Intrinsics;
using Graft.Modeling.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Graft.Modeling.Kernels;

/// <summary>
/// The way of a few tokens through a model on the processor, without gradients: kernels of our own, because libtorch's calls take longer
/// than the arithmetic and its products of few rows are far from the memory's speed.
/// </summary>
internal static unsafe class Decoding
{
    /// <summary>More rows are libtorch's: it then reuses what it has loaded.</summary>
    public const int MostRows = 16;

    /// <summary>Whether the kernels take these rows: few, outside the graph, on the processor, float32 or BF16, contiguous.</summary>
    /// <param name="x">(N, …).</param>
    public static bool Takes(Tensor x) =>
        x.size(0) <= MostRows && x.dtype is ScalarType.Float32 or ScalarType.BFloat16 && x.device_type == DeviceType.CPU
        && Vector256.IsHardwareAccelerated && !is_grad_enabled() && x.is_contiguous();

    /// <summary>And this weight with them.</summary>
    public static bool Takes(Tensor x, Tensor weight) =>
        Takes(x) && weight.dtype == x.dtype && weight.device_type == DeviceType.CPU && weight.is_contiguous();

    /// <summary>x w'.</summary>
    /// <param name="x">(N, in).</param>
    /// <param name="weight">(out, in).</param>
    /// <returns>(N, out).</returns>
    /// <exception cref="ArgumentException">The shapes do not fit; so do all here.</exception>
    public static Tensor Linear(Tensor x, Tensor weight)
    {
        var (rows, inner, outer) = ((int)x.size(0), (int)weight.size(1), (int)weight.size(0));
        Fits(x.dim() == 2 && weight.dim() == 2 && x.size(1) == inner, x, weight);
        var y = empty([rows, outer], x.dtype);
        if (Wide(x)) TensorMemory.Use<float>(x, weight, y, (from, w, to) =>
            CpuRowProducts.Multiply<float, F32Elements>(from, w, to, rows, inner, outer));
        else TensorMemory.Use<ushort>(x, weight, y, (from, w, to) =>
            CpuRowProducts.Multiply<ushort, Bf16Elements>(from, w, to, rows, inner, outer));
        return y;
    }

    /// <param name="x">(N, C).</param>
    /// <param name="weight">(C).</param>
    public static Tensor RmsNorm(Tensor x, Tensor weight, double epsilon)
    {
        Fits(x.dim() == 2 && weight.dim() == 1 && weight.size(0) == x.size(1), x, weight);
        var y = empty_like(x);
        var (rows, width) = ((int)x.size(0), (int)x.size(1));
        if (Wide(x)) TensorMemory.Use<float>(x, weight, y, (from, w, to) =>
            CpuRows.RmsNorm<float, F32Elements>(from, w, to, rows, width, (float)epsilon));
        else TensorMemory.Use<ushort>(x, weight, y, (from, w, to) =>
            CpuRows.RmsNorm<ushort, Bf16Elements>(from, w, to, rows, width, (float)epsilon));
        return y;
    }

    /// <param name="x">(N, H, D).</param>
    /// <param name="cos">(N, 1, R / 2).</param>
    /// <param name="sin">(N, 1, R / 2).</param>
    public static Tensor Rotate(Tensor x, Tensor cos, Tensor sin)
    {
        Fits(x.dim() == 3 && cos.dim() == 3 && cos.size(0) == x.size(0) && cos.size(1) == 1 && 2 * cos.size(2) <= x.size(2), x, cos);
        Fits(sin.dtype == cos.dtype && sin.is_contiguous() && sin.shape.AsSpan().SequenceEqual(cos.shape), cos, sin);
        var y = empty_like(x);
        var (rows, heads, size, half) = ((int)x.size(0), (int)x.size(1), (int)x.size(2), (int)cos.size(2));
        if (Wide(x)) TensorMemory.Use<float>(x, cos, sin, y, (from, c, s, to) =>
            CpuRows.Rotate<float, F32Elements>(from, c, s, to, rows, heads, size, half));
        else TensorMemory.Use<ushort>(x, cos, sin, y, (from, c, s, to) =>
            CpuRows.Rotate<ushort, Bf16Elements>(from, c, s, to, rows, heads, size, half));
        return y;
    }

    /// <param name="gate">(N, F).</param>
    /// <param name="up">(N, F).</param>
    public static Tensor SwiGlu(Tensor gate, Tensor up)
    {
        var count = gate.numel();
        Fits(up.numel() == count, gate, up);
        var y = empty_like(gate);
        if (Wide(gate)) TensorMemory.Use<float>(gate, up, y, (g, u, to) => CpuRows.SwiGlu<float, F32Elements>(g, u, to, count));
        else TensorMemory.Use<ushort>(gate, up, y, (g, u, to) => CpuRows.SwiGlu<ushort, Bf16Elements>(g, u, to, count));
        return y;
    }

    /// <summary>Attention of one new token in each of some sequences, whose keys and values the caches hold already.</summary>
    /// <param name="query">(B, H, D), D a multiple of 16.</param>
    /// <returns>(B, H D).</returns>
    public static Tensor Attention(Tensor query, CachedTokens[] sequences, int groups, double scale)
    {
        var (heads, size) = ((int)query.size(1), (int)query.size(2));
        var y = empty([query.size(0), (long)heads * size], query.dtype);
        if (Wide(query)) TensorMemory.Use<float>(query, y, (q, to) =>
            CpuAttention.Run<float, F32Elements>(q, to, sequences, heads, groups, size, (float)scale));
        else TensorMemory.Use<ushort>(query, y, (q, to) =>
            CpuAttention.Run<ushort, Bf16Elements>(q, to, sequences, heads, groups, size, (float)scale));
        // They own the keys and values.
        GC.KeepAlive(sequences);
        return y;
    }

    private static bool Wide(Tensor x) => x.dtype == ScalarType.Float32;

    /// <summary>The kernels know no sizes: what does not fit would be read from behind a tensor's end.</summary>
    internal static void Fits(bool fits, Tensor a, Tensor b)
    {
        if (!fits) throw new ArgumentException(
            $"({string.Join(", ", a.shape)}) {a.dtype} and ({string.Join(", ", b.shape)}) {b.dtype} do not go together.");
    }
}
