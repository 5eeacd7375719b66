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
    public static Tensor Linear(Tensor x, Tensor weight)
    {
        var (rows, inner, outer) = ((int)x.size(0), (int)weight.size(1), (int)weight.size(0));
        var y = empty([rows, outer], x.dtype);
        if (Wide(x)) CpuRowProducts.Multiply<float, F32Elements>(Floats(x), Floats(weight), Floats(y), rows, inner, outer);
        else CpuRowProducts.Multiply<ushort, Bf16Elements>(Halves(x), Halves(weight), Halves(y), rows, inner, outer);
        return y;
    }

    /// <param name="x">(N, C).</param>
    /// <param name="weight">(C).</param>
    public static Tensor RmsNorm(Tensor x, Tensor weight, double epsilon)
    {
        var y = empty_like(x);
        var (rows, width) = ((int)x.size(0), (int)x.size(1));
        if (Wide(x)) CpuRows.RmsNorm<float, F32Elements>(Floats(x), Floats(weight), Floats(y), rows, width, (float)epsilon);
        else CpuRows.RmsNorm<ushort, Bf16Elements>(Halves(x), Halves(weight), Halves(y), rows, width, (float)epsilon);
        return y;
    }

    /// <param name="x">(N, H, D).</param>
    /// <param name="cos">(N, 1, R / 2).</param>
    /// <param name="sin">(N, 1, R / 2).</param>
    public static Tensor Rotate(Tensor x, Tensor cos, Tensor sin)
    {
        var y = empty_like(x);
        var (rows, heads, size, half) = ((int)x.size(0), (int)x.size(1), (int)x.size(2), (int)cos.size(2));
        if (Wide(x)) CpuRows.Rotate<float, F32Elements>(Floats(x), Floats(cos), Floats(sin), Floats(y), rows, heads, size, half);
        else CpuRows.Rotate<ushort, Bf16Elements>(Halves(x), Halves(cos), Halves(sin), Halves(y), rows, heads, size, half);
        return y;
    }

    /// <param name="gate">(N, F).</param>
    /// <param name="up">(N, F).</param>
    public static Tensor SwiGlu(Tensor gate, Tensor up)
    {
        var y = empty_like(gate);
        if (Wide(gate)) CpuRows.SwiGlu<float, F32Elements>(Floats(gate), Floats(up), Floats(y), gate.numel());
        else CpuRows.SwiGlu<ushort, Bf16Elements>(Halves(gate), Halves(up), Halves(y), gate.numel());
        return y;
    }

    /// <summary>Attention of one new token in each of some sequences, whose keys and values the caches hold already.</summary>
    /// <param name="query">(B, H, D), D a multiple of 16.</param>
    /// <returns>(B, H D).</returns>
    public static Tensor Attention(Tensor query, CachedTokens[] sequences, int groups, double scale)
    {
        var (heads, size) = ((int)query.size(1), (int)query.size(2));
        var y = empty([query.size(0), (long)heads * size], query.dtype);
        if (Wide(query)) CpuAttention.Run<float, F32Elements>(Floats(query), Floats(y), sequences, heads, groups, size, (float)scale);
        else CpuAttention.Run<ushort, Bf16Elements>(Halves(query), Halves(y), sequences, heads, groups, size, (float)scale);
        return y;
    }

    private static bool Wide(Tensor x) => x.dtype == ScalarType.Float32;

    private static float* Floats(Tensor x) => (float*)Aten.DataPointer(x);

    private static ushort* Halves(Tensor x) => (ushort*)Aten.DataPointer(x);
}
