namespace Graft.Contract;

/// <summary>
/// Bottleneck adapters: in every block two small linear layers with an activation between them, and a residual. What is null is the
/// placement's own, as AdapterHub has it: Houlsby 16, swish, 1; Pfeiffer 16, relu, 1; parallel 2, relu, 4.
/// </summary>
/// <param name="ReductionFactor">The model's hidden size over the bottleneck's.</param>
/// <param name="Activation">Between the two layers.</param>
/// <param name="Scaling">What comes out counts so many times.</param>
/// <param name="Dropout">Probability of leaving out an element of what comes out while training.</param>
public sealed record BottleneckMethod(
    BottleneckPlacement Placement = BottleneckPlacement.Pfeiffer,
    double? ReductionFactor = null,
    BottleneckActivation? Activation = null,
    double? Scaling = null,
    double Dropout = 0);

/// <summary>Where in a block they stand.</summary>
public enum BottleneckPlacement
{
    /// <summary>One after the attention and one after the feed-forward layer (Houlsby et al. 2019, arXiv:1902.00751).</summary>
    Houlsby,

    /// <summary>One after the feed-forward layer (Pfeiffer et al. 2020, arXiv:2005.00247).</summary>
    Pfeiffer,

    /// <summary>One beside the feed-forward layer (He et al. 2021, arXiv:2110.04366).</summary>
    Parallel,
}

public enum BottleneckActivation { Relu, Swish, Gelu, Tanh }
