using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// Keys and values, as they are or computed from an embedding of their places. L layers, G heads of keys and values of size D.
/// </summary>
/// <param name="embedding">(P, 2 L G D), or what the projection takes.</param>
/// <param name="projection">To (P, 2 L G D); null: none.</param>
internal sealed class Prefix(Tensor embedding, ModelConfig config, Perceptron? projection = null) : KeyValuePrefix
{
    private readonly (int Layers, int Heads, int Size) shape = (config.Layers, config.KvHeads, config.HeadSize);

    public override int Length { get; } = (int)embedding.size(0);

    /// <summary>(P, 2 L G D), as it is stored.</summary>
    public Tensor Flat() => projection?.Run(embedding) ?? embedding.alias();

    public override Tensor KeysAndValues(ScalarType dtype) => Flat()
        .view(Length, shape.Layers, 2, shape.Heads, shape.Size).permute(1, 2, 3, 0, 4).to_type(dtype).contiguous();

    public override void Dispose()
    {
        embedding.Dispose();
        projection?.Dispose();
    }
}
