using Graft.Runtime;

namespace Graft.Operator.Api;

internal sealed record PrefixTuningSpec
{
    [RangeMinimum(1), RangeMaximum(4096), Description(SoftPromptTexts.VirtualTokens)]
    public int? VirtualTokens { get; init; }

    [Description("A network that computes keys and values while it trains: two linear layers with tanh between them. Absent: none, they"
        + " train themselves. The artifact is the same either way.")]
    public PrefixProjectionSpec? Projection { get; init; }
}

internal sealed record PrefixProjectionSpec
{
    [RangeMinimum(1), RangeMaximum(65536), Description(SoftPromptTexts.HiddenSize)]
    public int? HiddenSize { get; init; }
}
