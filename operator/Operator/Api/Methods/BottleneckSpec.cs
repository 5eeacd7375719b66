using System.Text.Json.Serialization;
using Graft.Runtime;

namespace Graft.Operator.Api;

internal sealed record BottleneckSpec
{
    [Description("Where they stand. Houlsby (arXiv:1902.00751): after the attention and after the feed-forward layer. Pfeiffer"
        + " (arXiv:2005.00247), also when absent: after the feed-forward layer. Parallel (arXiv:2110.04366): beside it.")]
    public AdapterPlacement? Placement { get; init; }

    [RangeMinimum(1), RangeMaximum(65536)]
    [Description("The model's hidden size over the bottleneck's. Absent: 16; with Parallel 2.")]
    public double? ReductionFactor { get; init; }

    [Description("Between the two layers. Absent: Relu; with Houlsby Swish.")]
    public AdapterActivation? Activation { get; init; }

    [RangeMinimum(0, exclusiveMinimum: true), RangeMaximum(65536)]
    [Description("What comes out counts so many times. Absent: 1; with Parallel 4.")]
    public double? Scaling { get; init; }

    [RangeMinimum(0), RangeMaximum(1, exclusiveMaximum: true)]
    [Description("Probability of leaving out an element of what goes in while training. Absent: 0.")]
    public double? Dropout { get; init; }
}

[JsonConverter(typeof(JsonStringEnumConverter<AdapterPlacement>))]
internal enum AdapterPlacement { Houlsby, Pfeiffer, Parallel }

[JsonConverter(typeof(JsonStringEnumConverter<AdapterActivation>))]
internal enum AdapterActivation { Relu, Swish, Gelu, Tanh }
