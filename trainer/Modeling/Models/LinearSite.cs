using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>A linear layer where an adapter can be put.</summary>
/// <param name="Index">Among the model's <see cref="CausalLM.Linears"/>.</param>
/// <param name="Name">Its Hugging Face module name: <c>model.layers.0.self_attn.q_proj</c>.</param>
/// <param name="Weight">(OutFeatures, InFeatures).</param>
public sealed record LinearSite(int Index, string Name, Tensor Weight)
{
    public int OutFeatures { get; } = (int)Weight.size(0);
    public int InFeatures { get; } = (int)Weight.size(1);
}
