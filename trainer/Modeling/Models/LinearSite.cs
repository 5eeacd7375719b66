using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>A linear layer where an adapter can be put.</summary>
/// <param name="Index">Among all linear layers of the model, output heads included.</param>
/// <param name="Name">Its Hugging Face module name: <c>model.layers.0.self_attn.q_proj</c>.</param>
/// <param name="Weight">(OutFeatures, InFeatures), or the other way round where <paramref name="InputFirst"/> says so and it is not
/// packed.</param>
/// <param name="Bias">(OutFeatures), or none.</param>
/// <param name="InputFirst">The weight is stored as (InFeatures, OutFeatures), as GPT-2's <c>Conv1D</c> does.</param>
public sealed record LinearSite(int Index, string Name, WeightMatrix Weight, Tensor? Bias = null, bool InputFirst = false)
{
    /// <summary>(OutFeatures), or none.</summary>
    public Tensor? Bias { get; internal set; } = Bias;
    public int OutFeatures { get; } = (int)(IsTurned(Weight, InputFirst) ? Weight.Columns : Weight.Rows);
    public int InFeatures { get; } = (int)(IsTurned(Weight, InputFirst) ? Weight.Rows : Weight.Columns);

    /// <summary>
    /// (OutFeatures, InFeatures), whichever way it is stored. A view is made anew, so that gradients reach a weight that trains.
    /// </summary>
    internal WeightMatrix Matrix => IsTurned(Weight, InputFirst) ? Weight.Dense!.t() : Weight;

    /// <summary>A packed weight was turned when it was packed.</summary>
    private static bool IsTurned(WeightMatrix weight, bool inputFirst) => inputFirst && weight.Dense is not null;
}
