using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>
/// The body of a BERT-like encoder (Devlin et al. 2018, arXiv:1810.04805): embeddings of tokens, their types and learned positions, a norm,
/// and blocks in which every token sees its whole text.
/// </summary>
internal sealed class Encoder : Body
{
    private readonly Tensor positions, types;
    private readonly int? padId;
    private readonly Layer norm;
    private readonly Layer[] blocks;

    /// <param name="prefix">Of all names: <c>bert.</c>, or nothing.</param>
    /// <param name="positionCount">Rows of the table of positions.</param>
    /// <param name="padId">Where positions begin behind this id and leave out tokens that have it, as in RoBERTa.</param>
    public Encoder(
        Transformer network, ModelConfig c, string prefix, int positionCount, int typeCount, Activation activation, int? padId = null)
    {
        this.padId = padId;
        var at = prefix + "embeddings.";
        Embedding = network.Table(at + "word_embeddings", c.VocabularySize, c.HiddenSize);
        positions = network.Weight(at + "position_embeddings.weight", positionCount, c.HiddenSize);
        types = network.Weight(at + "token_type_embeddings.weight", typeCount, c.HiddenSize);
        norm = Norms.LayerNorm(network, at + "LayerNorm", c);
        blocks = [.. Enumerable.Range(0, c.Layers).Select(i => Block(network, c, $"{prefix}encoder.layer.{i}.", i, activation))];
    }

    public override WeightMatrix Embedding { get; }

    public override Tensor Run(Tensor ids, Pass pass)
    {
        if (pass.Segments.Any(s => s.Cache is not null))
            throw new ArgumentException("An encoder sees whole texts; it has no use for a cache of keys and values.", nameof(pass));
        using var scope = NewDisposeScope();
        var x = Adapted.Embed(Embedding, ids, pass).add(pass.TokenTypes is { } given ? types.index_select(0, given) : types[0]);
        x = norm(x.add(positions.index_select(0, PositionsOf(ids, pass))), pass);                // (N, C)
        return Through(blocks, x, pass).MoveToOuterDisposeScope();
    }

    /// <returns>(N) int64.</returns>
    private Tensor PositionsOf(Tensor ids, Pass pass)
    {
        var most = positions.size(0) - (padId + 1 ?? 0);
        pass.CheckLength(most);
        if (padId is not { } pad) return pass.Positions;
        // Real tokens of the text up to each one: of all texts, less those of the texts before.
        var real = ids.ne(pad).to_type(ScalarType.Int64);
        // Where vectors stand in for ids, transformers counts all of the text; the ids of virtual tokens say nothing.
        foreach (var segment in pass.Segments.Where(s => s.Lead.Tokens > 0))
            real.narrow(0, segment.Start, segment.Length).fill_(Scalars.One);
        var upTo = real.cumsum(0);
        long[] firsts = [.. pass.Segments.SelectMany(s => Enumerable.Repeat((long)s.Start, s.Length))];
        long[] keys = [.. pass.Segments.SelectMany(s => Enumerable.Repeat((long)s.Lead.Keys, s.Length))];
        var before = upTo.sub(real).index_select(0, tensor(firsts, device: ids.device));
        return upTo.sub(before).add(tensor(keys, device: ids.device)).mul(real).add(pad);
    }

    private static Layer Block(Transformer network, ModelConfig c, string at, int layer, Activation activation)
    {
        LinearSite Dense(string name, int outFeatures, int inFeatures) => network.Site(at + name, outFeatures, inFeatures, bias: true);
        var project = SelfAttention.Separate(
            c,
            Dense("attention.self.query", c.HiddenSize, c.HiddenSize),
            Dense("attention.self.key", c.HiddenSize, c.HiddenSize),
            Dense("attention.self.value", c.HiddenSize, c.HiddenSize));
        var attention = new SelfAttention(layer, project, Dense("attention.output.dense", c.HiddenSize, c.HiddenSize))
        {
            Options = new AttentionOptions { Causal = false },
        };
        var attentionNorm = Norms.LayerNorm(network, at + "attention.output.LayerNorm", c);
        var inner = Dense("intermediate.dense", c.IntermediateSize, c.HiddenSize);
        var outer = Dense("output.dense", c.HiddenSize, c.IntermediateSize);
        var feedForwardNorm = Norms.LayerNorm(network, at + "output.LayerNorm", c);
        return Blocks.PostNorm(
            network.Block(at, c, "attention.output", "output"),
            attention.Run, attentionNorm, FeedForward.Plain(inner, outer, activation), feedForwardNorm);
    }
}
