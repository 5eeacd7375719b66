using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <param name="DType">Element type of weights and activations; see <see cref="Precisions.Resolve"/>.</param>
/// <param name="RandomWeights">Draw the weights instead of reading them; the folder then needs only a configuration and a tokenizer.</param>
/// <param name="Seed">Of the random weights.</param>
/// <param name="RequireTokenizer">False: the tokenizer is left alone, for a model that is only computed with.</param>
/// <param name="Task">What the model is wanted for; one made for something else is refused. Null: whatever it was made for.</param>
/// <param name="Quantization">How frozen matrices are kept; null: as their file has them (<see cref="Models.WeightStorage"/>).</param>
/// <param name="Frozen">False where the weights themselves will train: then all of them are tensors.</param>
/// <param name="Labels">
/// Opens it as a classifier of these labels, in this order, whatever it was made for. Its head is drawn by the seed where the model brings
/// none for them (<see cref="BaseModel.NewLayers"/>). Unnamed ones (<c>LABEL_0</c>) are called what the model calls as many.
/// </param>
/// <param name="Root">What the model's files may not leave; null: <see cref="TrustedRoot.Named"/> of its path.</param>
public sealed record LoadOptions(
    Device Device, ScalarType DType, bool RandomWeights = false, long Seed = 0, bool RequireTokenizer = true,
    ModelTask? Task = ModelTask.Generation, Quantization? Quantization = null, bool Frozen = true, TrustedRoot? Root = null,
    IReadOnlyList<string>? Labels = null)
{
    /// <summary>The network without its weights, tokenizer and memory: what is asked of it can be checked before it is loaded.</summary>
    public LoadOptions ShapesOnly => this with { Device = META, RandomWeights = false, RequireTokenizer = false, Quantization = new Quantization { None = new NoQuantization() } };
}
