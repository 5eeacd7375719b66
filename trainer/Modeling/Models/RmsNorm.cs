using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>Root mean square norm (Zhang and Sennrich 2019, arXiv:1910.07467), in float32 inside as the models were trained.</summary>
internal static class RmsNorm
{
    /// <param name="x">(N, C).</param>
    /// <param name="weight">(C).</param>
    public static Tensor Apply(Tensor x, Tensor weight, double epsilon, GradientBin? bin = null)
    {
        if (Kernel.Takes(x) && Kernel.Takes(weight)) return Kernel.RmsNorm(x, weight, epsilon, bin);
        var wide = x.to_type(ScalarType.Float32);
        var scale = wide.square().mean([-1], keepdim: true).add(epsilon).rsqrt();
        return wide.mul(scale).to_type(x.dtype).mul(weight);
    }
}
