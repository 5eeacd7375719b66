using static TorchSharp.torch;

namespace Graft.Modeling;

/// <param name="DType">Element type of weights and activations; see <see cref="Precisions.Resolve"/>.</param>
/// <param name="RandomWeights">Draw the weights instead of reading them; the folder then needs only a configuration and a tokenizer.</param>
/// <param name="Seed">Of the random weights.</param>
/// <param name="RequireTokenizer">False for a folder that is only computed with.</param>
public sealed record LoadOptions(Device Device, ScalarType DType, bool RandomWeights = false, long Seed = 0, bool RequireTokenizer = true);
