using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>A layer norm, whose bias an adapter can put another in the place of.</summary>
/// <param name="Index">Among those of the model.</param>
/// <param name="Name">Its Hugging Face module name: <c>transformer.h.0.ln_1</c>.</param>
/// <param name="Weight">(C).</param>
/// <param name="Bias">(C).</param>
internal sealed record NormSite(int Index, string Name, Tensor Weight, Tensor Bias)
{
    /// <summary>(C).</summary>
    public Tensor Bias { get; set; } = Bias;
}
