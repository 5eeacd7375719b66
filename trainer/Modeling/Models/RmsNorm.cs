using Graft.Modeling.Kernels;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>Root mean square norm (Zhang and Sennrich 2019, arXiv:1910.07467), in float32 inside as the models were trained.</summary>
internal static class RmsNorm
{
    /// <param name="x">(N, C).</param>
    /// <param name="weight">(C).</param>
    /// <param name="offset">The weight is 1 + w, and the product is rounded to the element type after it rather than before.</param>
    public static Tensor Apply(Tensor x, Tensor weight, double epsilon, GradientBin? bin = null, bool offset = false)
    {
        if (!offset && Decoding.Takes(x, weight)) return Decoding.RmsNorm(x, weight, epsilon);
        if (Kernel.Takes(x) && Kernel.Takes(weight)) return Kernel.RmsNorm(x, offset ? weight.add(Scalars.One, Scalars.One) : weight, epsilon, bin);
        var wide = x.to_type(ScalarType.Float32);
        var normed = wide.mul(wide.square().mean([-1], keepdim: true).add(epsilon).rsqrt());
        return offset ? normed.mul(weight.to_type(ScalarType.Float32).add(Scalars.One, Scalars.One)).to_type(x.dtype)
            : normed.to_type(x.dtype).mul(weight);
    }
}
