using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>The body of a decoder: embeddings, blocks of causal attention, a last norm.</summary>
internal sealed class Decoder : Body
{
    private readonly Tensor? positions;
    private readonly double scale;
    private readonly Layer[] blocks;
    private readonly Layer norm;

    /// <param name="embedding">Name of the module of token embeddings.</param>
    /// <param name="norm">The last one; made after the blocks.</param>
    /// <param name="positions">Name of the learned positions, where they are not rotary.</param>
    /// <param name="scale">Factor on the embeddings.</param>
    public Decoder(
        Transformer network, ModelConfig c, string embedding, BlockMaker block, Func<Layer> norm,
        string? positions = null, double scale = 1)
    {
        Embedding = network.Table(embedding, c.VocabularySize, c.HiddenSize);
        if (positions is not null) this.positions = network.Weight(positions, c.MaxPositions, c.HiddenSize);
        blocks = [.. Enumerable.Range(0, c.Layers).Select(i => block(i))];
        this.norm = norm();
        this.scale = scale;
    }

    public override WeightMatrix Embedding { get; }

    public override Tensor Run(Tensor ids, Pass pass)
    {
        using var scope = NewDisposeScope();
        var x = Adapted.Embed(Embedding, ids, pass, Factor(Embedding.DType, pass.Device));  // (N, C)
        if (positions is not null) x = x.add(Learned(pass));
        return norm(Through(blocks, x, pass), pass).MoveToOuterDisposeScope();
    }

    public override Tensor VectorsOf(Tensor ids)
    {
        using var scope = NewDisposeScope();
        var rows = Embedding.Gather(ids);
        return (Factor(rows.dtype, rows.device) is { } factor ? rows.mul(factor) : rows).MoveToOuterDisposeScope();
    }

    /// <summary>It is the table's own, as in transformers: vectors that come from elsewhere are taken as they are.</summary>
    private Tensor? Factor(ScalarType dtype, Device device) =>
        // The factor is rounded to the element type first, as the reference does.
        scale == 1 ? null : tensor((float)scale, dtype, device);

    private Tensor Learned(Pass pass)
    {
        var most = positions!.size(0);
        pass.CheckLength(most);
        return positions.index_select(0, pass.Positions);
    }
}
