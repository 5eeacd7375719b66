using Graft.Modeling.Kernels;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>
/// The Llama architecture (Touvron et al. 2023, arXiv:2302.13971): pre-norm blocks of grouped-query attention with rotary
/// positions and a SwiGLU feed-forward. H query heads, G key-value heads, D head size, F feed-forward size.
/// </summary>
internal sealed class LlamaForCausalLM : CausalLM
{
    private readonly ModelConfig config;
    private readonly Tensor embedding, norm;
    private readonly Tensor? head;
    private readonly Block[] blocks;
    private readonly List<(string, Tensor)> weights = [];
    private readonly List<LinearSite> linears = [];

    public LlamaForCausalLM(ModelConfig config, WeightReader reader)
    {
        this.config = config;
        int c = config.HiddenSize, v = config.VocabularySize;
        Tensor Weight(string name, params long[] shape)
        {
            var weight = reader.Read(name, shape);
            weights.Add((name, weight));
            return weight;
        }
        LinearSite Site(string name, long outFeatures, long inFeatures)
        {
            var site = new LinearSite(linears.Count, name, Weight(name + ".weight", outFeatures, inFeatures));
            linears.Add(site);
            return site;
        }
        embedding = Weight("model.embed_tokens.weight", v, c);
        blocks = new Block[config.Layers];
        for (var i = 0; i < blocks.Length; i++)
        {
            var prefix = $"model.layers.{i}.";
            int queries = config.Heads * config.HeadSize, keys = config.KvHeads * config.HeadSize, f = config.IntermediateSize;
            blocks[i] = new Block(
                i,
                Weight(prefix + "input_layernorm.weight", c),
                Site(prefix + "self_attn.q_proj", queries, c),
                Site(prefix + "self_attn.k_proj", keys, c),
                Site(prefix + "self_attn.v_proj", keys, c),
                Site(prefix + "self_attn.o_proj", c, queries),
                Weight(prefix + "post_attention_layernorm.weight", c),
                Site(prefix + "mlp.gate_proj", f, c),
                Site(prefix + "mlp.up_proj", f, c),
                Site(prefix + "mlp.down_proj", c, f));
        }
        norm = Weight("model.norm.weight", c);
        head = config.TiedEmbeddings ? null : Weight("lm_head.weight", v, c);
        reader.Finish();
    }

    private sealed record Block(
        int Layer, Tensor AttentionNorm, LinearSite Query, LinearSite Key, LinearSite Value, LinearSite Output,
        Tensor FeedForwardNorm, LinearSite Gate, LinearSite Up, LinearSite Down);

    public override Tensor OutputWeight => head ?? embedding;
    public override IReadOnlyList<LinearSite> Linears => linears;
    public override IReadOnlyList<(string Name, Tensor Weight)> Weights => weights;

    public override Tensor Forward(Tensor ids, Pass pass)
    {
        if (ids.size(0) != pass.TokenCount) throw new ArgumentException($"{ids.size(0)} ids for a pass of {pass.TokenCount} tokens.", nameof(ids));
        using var scope = NewDisposeScope();
        var x = embedding.index_select(0, ids);                                                 // (N, C)
        foreach (var block in blocks)
        {
            // What autograd does not need goes with the block, not with the step.
            using var inner = NewDisposeScope();
            x = Run(block, x, pass).MoveToOuterDisposeScope();
        }
        pass.Advance();
        return RmsNorm.Apply(x, norm, config.NormEpsilon, pass.Gradients).MoveToOuterDisposeScope();
    }

    public override Tensor Logits(Tensor hidden)
    {
        using var logits = Product.Linear(hidden, OutputWeight);
        return logits.to_type(ScalarType.Float32);
    }

    private Tensor Run(Block block, Tensor x, Pass pass)
    {
        var normed = RmsNorm.Apply(x, block.AttentionNorm, config.NormEpsilon, pass.Gradients);
        x = x.add(Linear(block.Output, Attend(block, normed, pass), pass), Scalars.One);
        normed = RmsNorm.Apply(x, block.FeedForwardNorm, config.NormEpsilon, pass.Gradients);
        var (gate, up) = (Linear(block.Gate, normed, pass), Linear(block.Up, normed, pass));    // (N, F)
        return x.add(Linear(block.Down, SwiGlu.Apply(gate, up, pass.Gradients), pass), Scalars.One);
    }

    /// <returns>(N, H D).</returns>
    private Tensor Attend(Block block, Tensor x, Pass pass)
    {
        long n = x.size(0), d = config.HeadSize;
        var (cos, sin) = pass.Rotary(config.RopeTheta, config.HeadSize, x.dtype);
        var query = Rotary.Apply(Linear(block.Query, x, pass).view(n, config.Heads, d), cos, sin, pass.Gradients);
        var key = Rotary.Apply(Linear(block.Key, x, pass).view(n, config.KvHeads, d), cos, sin, pass.Gradients);
        var value = Linear(block.Value, x, pass).view(n, config.KvHeads, d);
        return Attention.Run(query, key, value, pass, block.Layer);
    }

    protected override void Dispose(bool disposing)
    {
        foreach (var (_, weight) in weights) weight.Dispose();
    }
}
