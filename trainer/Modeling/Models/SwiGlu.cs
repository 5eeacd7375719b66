using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>The gated activation of Llama's feed-forward (Shazeer 2020, arXiv:2002.05202).</summary>
internal static class SwiGlu
{
    /// <param name="gate">(N, F).</param>
    /// <param name="up">(N, F).</param>
    public static Tensor Apply(Tensor gate, Tensor up, GradientBin? bin = null) =>
        Kernel.Takes(gate) && Kernel.Takes(up) ? Kernel.SwiGlu(gate, up, bin) : nn.functional.silu(gate).mul(up);
}
