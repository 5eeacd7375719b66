using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>Rotary positions: element i of a head and element i + D / 2 are turned together.</summary>
internal static class Rotary
{
    /// <param name="x">(N, H, D).</param>
    /// <param name="cos">(N, 1, D / 2).</param>
    /// <param name="sin">(N, 1, D / 2).</param>
    public static Tensor Apply(Tensor x, Tensor cos, Tensor sin, GradientBin? bin = null)
    {
        if (Kernel.Takes(x) && Kernel.Takes(cos)) return Kernel.Rotate(x, cos, sin, bin);
        var half = x.size(-1) / 2;
        var first = x.narrow(-1, 0, half);
        var second = x.narrow(-1, half, half);
        return cat([first.mul(cos).sub(second.mul(sin)), second.mul(cos).add(first.mul(sin))], -1);
    }
}
