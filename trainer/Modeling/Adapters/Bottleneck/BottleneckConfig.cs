using Graft.Contract;

namespace Graft.Modeling.Adapters;

/// <summary>A bottleneck adapter's shape, in the terms of AdapterHub's <c>BnConfig</c>.</summary>
/// <param name="Attention">One stands after each attention (<c>mh_adapter</c>).</param>
/// <param name="FeedForward">One stands after each feed-forward (<c>output_adapter</c>).</param>
/// <param name="NormBefore">
/// It reads the sum with the residual stream, after the model's norm where there is one (<c>original_ln_before</c>).
/// </param>
/// <param name="Parallel">It reads the residual stream from before the half (<c>is_parallel</c>).</param>
/// <param name="Reduction">The model's hidden size over the bottleneck's.</param>
/// <param name="Activation">As Hugging Face's configurations name it.</param>
/// <param name="Initialization"><c>init_weights</c>: bert, mam_adapter or houlsby.</param>
/// <param name="LeaveOut">Blocks without one.</param>
/// <param name="AdapterName">Part of the tensors' names.</param>
internal sealed record BottleneckConfig(
    bool Attention, bool FeedForward, bool NormBefore, bool Parallel, double Reduction, string Activation, double Scaling,
    string Initialization = "bert", double Dropout = 0, IReadOnlyList<int>? LeaveOut = null, string AdapterName = "graft")
{
    public static BottleneckConfig Of(BottleneckMethod options)
    {
        var usual = options.Placement switch
        {
            BottleneckPlacement.Houlsby => new BottleneckConfig(true, true, false, false, 16, "swish", 1),
            BottleneckPlacement.Parallel => new BottleneckConfig(false, true, false, true, 2, "relu", 4, "mam_adapter"),
            _ => new BottleneckConfig(false, true, true, false, 16, "relu", 1),
        };
        return usual with
        {
            Reduction = options.ReductionFactor ?? usual.Reduction,
            Activation = options.Activation?.ToString().ToLowerInvariant() ?? usual.Activation,
            Scaling = options.Scaling ?? usual.Scaling,
            Dropout = options.Dropout,
        };
    }

    /// <summary>Width of the bottleneck: rounded down, at least one.</summary>
    public int WidthIn(int hiddenSize) => Math.Max(1, (int)Math.Floor(hiddenSize / Reduction));
}
