using Graft.Runtime;

namespace Graft.Operator.Api;

internal sealed record PTuningSpec
{
    [RangeMinimum(1), RangeMaximum(4096), Description(SoftPromptTexts.VirtualTokens)]
    public int? VirtualTokens { get; init; }

    [Description("The network that computes the vectors; the artifact holds what it computed. Exactly one member. Absent: mlp.")]
    public PTuningEncoderSpec? Encoder { get; init; }
}

[ValidationRule("has(self.mlp) != has(self.lstm)", message: "exactly one of: mlp, lstm")]
internal sealed record PTuningEncoderSpec
{
    [Description("Three linear layers with ReLU between them.")]
    public MlpEncoderSpec? Mlp { get; init; }

    [Description("An LSTM in both directions, and two linear layers with ReLU between them.")]
    public LstmEncoderSpec? Lstm { get; init; }
}

internal sealed record MlpEncoderSpec
{
    [RangeMinimum(1), RangeMaximum(65536), Description(SoftPromptTexts.HiddenSize)]
    public int? HiddenSize { get; init; }
}

[ValidationRule("!has(self.dropout) || !has(self.layers) || self.dropout == 0.0 || self.layers > 1",
    message: "dropout is between layers, so it needs two of them")]
internal sealed record LstmEncoderSpec
{
    [RangeMinimum(1), RangeMaximum(65536), Description("Width of one direction. Absent: the model's hidden size.")]
    public int? HiddenSize { get; init; }

    [RangeMinimum(1), RangeMaximum(16), Description("Layers of the LSTM. Absent: 2.")]
    public int? Layers { get; init; }

    [RangeMinimum(0), RangeMaximum(1, exclusiveMaximum: true), Description("Dropout between the LSTM's layers. Absent: 0.")]
    public double? Dropout { get; init; }
}
