using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>Vectors that a small network computes from an embedding of their places.</summary>
/// <param name="embedding">(P, C) float32.</param>
internal sealed class EncodedPrompt(Tensor embedding, PromptEncoder encoder) : SoftPrompt
{
    public override int Length { get; } = (int)embedding.size(0);

    public override Tensor Vectors(ScalarType dtype)
    {
        var vectors = encoder.Run(embedding);
        return vectors.dtype == dtype ? vectors : vectors.to_type(dtype);
    }

    public override void Dispose()
    {
        embedding.Dispose();
        encoder.Dispose();
    }
}
