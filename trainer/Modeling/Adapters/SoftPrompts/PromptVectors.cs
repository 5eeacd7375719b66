using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>Vectors as they are.</summary>
/// <param name="vectors">(P, C).</param>
internal sealed class PromptVectors(Tensor vectors) : SoftPrompt
{
    public override int Length { get; } = (int)vectors.size(0);

    // A pass disposes of what it is given.
    public override Tensor Vectors(ScalarType dtype) => vectors.dtype == dtype ? vectors.alias() : vectors.to_type(dtype);

    public override void Dispose() => vectors.Dispose();
}
