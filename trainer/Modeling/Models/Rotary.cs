using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>Rotary positions: element i of what is turned of a head and element i + R / 2 are turned together. The rest stays.</summary>
internal static class Rotary
{
    /// <param name="x">(N, H, D).</param>
    /// <param name="cos">(N, 1, R / 2).</param>
    /// <param name="sin">(N, 1, R / 2).</param>
    public static Tensor Apply(Tensor x, Tensor cos, Tensor sin, GradientBin? bin = null)
    {
        if (Decoding.Takes(x, cos)) return Decoding.Rotate(x, cos, sin);
        var half = cos.size(-1);
        if (2 * half < x.size(-1))
        {
            var (turned, rest) = (x.narrow(-1, 0, 2 * half), x.narrow(-1, 2 * half, x.size(-1) - 2 * half));
            return cat([Apply(turned.contiguous(), cos, sin, bin), rest], -1);
        }
        if (Kernel.Takes(x) && Kernel.Takes(cos)) return Kernel.Rotate(x, cos, sin, bin);
        var first = x.narrow(-1, 0, half);
        var second = x.narrow(-1, half, half);
        return cat([first.mul(cos).sub(second.mul(sin)), second.mul(cos).add(first.mul(sin))], -1);
    }
}
