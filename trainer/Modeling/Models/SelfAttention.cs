using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>Queries (N, H, D), keys (N, G, D) and values (N, G, D) of the tokens.</summary>
internal delegate (Tensor Query, Tensor Key, Tensor Value) Projection(Tensor x, Pass pass);

/// <summary>The first half of a block: attention of the tokens to one another. H query heads, G key-value heads, D head size.</summary>
/// <param name="Layer">Its place in a <see cref="KvCache"/>.</param>
/// <param name="Output">(H D) to (C).</param>
internal sealed record SelfAttention(int Layer, Projection Project, LinearSite Output)
{
    public AttentionOptions Options { get; init; } = new();

    /// <summary>Null: positions are learned, and were added to the embeddings.</summary>
    public Rope? Rope { get; init; }

    /// <summary>(N, H, D) to (N, H, D), before the rotation.</summary>
    public Layer? QueryNorm { get; init; }
    public Layer? KeyNorm { get; init; }

    /// <param name="x">(N, C).</param>
    /// <returns>(N, C).</returns>
    public Tensor Run(Tensor x, Pass pass)
    {
        var (query, key, value) = Project(x, pass);
        if (QueryNorm is not null) query = QueryNorm(query, pass);
        if (KeyNorm is not null) key = KeyNorm(key, pass);
        if (Rope is not null)
        {
            var (cos, sin) = pass.Rotary(Rope, x.dtype);
            query = Rotary.Apply(query, cos, sin, pass.Gradients);
            key = Rotary.Apply(key, cos, sin, pass.Gradients);
        }
        return Adapted.Linear(Output, Attention.Run(query, key, value, pass, Layer, Options), pass);
    }

    /// <summary>The layers <c>q_proj</c>, <c>k_proj</c>, <c>v_proj</c> and <c>o_proj</c>, as most decoders name them.</summary>
    public static SelfAttention Llama(
        Transformer network, string prefix, int layer, ModelConfig c, bool bias = false, bool outputBias = false)
    {
        int queries = c.Heads * c.HeadSize, keys = c.KvHeads * c.HeadSize;
        var project = Separate(
            c,
            network.Site(prefix + "q_proj", queries, c.HiddenSize, bias),
            network.Site(prefix + "k_proj", keys, c.HiddenSize, bias),
            network.Site(prefix + "v_proj", keys, c.HiddenSize, bias));
        return new SelfAttention(layer, project, network.Site(prefix + "o_proj", c.HiddenSize, queries, outputBias));
    }

    public static Projection Separate(
        ModelConfig c, LinearSite query, LinearSite key, LinearSite value) => (x, pass) =>
    (
        Adapted.Linear(query, x, pass).view(-1, c.Heads, c.HeadSize),
        Adapted.Linear(key, x, pass).view(-1, c.KvHeads, c.HeadSize),
        Adapted.Linear(value, x, pass).view(-1, c.KvHeads, c.HeadSize)
    );

    /// <summary>One linear layer for the three, one after another.</summary>
    public static Projection InOne(ModelConfig c, LinearSite all) => (x, pass) =>
    {
        var y = Adapted.Linear(all, x, pass);                                                    // (N, (H + 2 G) D)
        Tensor Part(int firstHead, int heads) =>
            y.narrow(1, (long)firstHead * c.HeadSize, (long)heads * c.HeadSize).contiguous().view(-1, heads, c.HeadSize);
        return (Part(0, c.Heads), Part(c.Heads, c.KvHeads), Part(c.Heads + c.KvHeads, c.KvHeads));
    };
}
