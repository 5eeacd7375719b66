using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>A linear layer where an adapter can be put.</summary>
/// <param name="Index">Among the model's <see cref="Transformer.Linears"/>; below zero for an output head, which takes no adapter.</param>
/// <param name="Name">Its Hugging Face module name: <c>model.layers.0.self_attn.q_proj</c>.</param>
/// <param name="Weight">(OutFeatures, InFeatures), or the other way round where <paramref name="InputFirst"/> says so.</param>
/// <param name="Bias">(OutFeatures), or none.</param>
/// <param name="InputFirst">The weight is stored as (InFeatures, OutFeatures), as GPT-2's <c>Conv1D</c> does.</param>
public sealed record LinearSite(int Index, string Name, Tensor Weight, Tensor? Bias = null, bool InputFirst = false)
{
    public int OutFeatures { get; } = (int)Weight.size(InputFirst ? 1 : 0);
    public int InFeatures { get; } = (int)Weight.size(InputFirst ? 0 : 1);

    /// <summary>
    /// (OutFeatures, InFeatures), whichever way it is stored. A view is made anew, so that gradients reach a weight that trains.
    /// </summary>
    internal Tensor Matrix => InputFirst ? Weight.t() : Weight;
}
