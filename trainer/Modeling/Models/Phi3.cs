namespace Graft.Modeling.Models;

/// <summary>
/// Phi-3 and Phi-4 mini (Abdin et al. 2024, arXiv:2404.14219): Llama's blocks with queries, keys and values as one linear layer, gate
/// and up as another, LongRoPE for long texts, and rotation of a part of each head.
/// </summary>
internal static class Phi3
{
    /// <summary>Positions of the first training, where a configuration does not say them.</summary>
    internal const int OriginalPositions = 4096;

    private static readonly ModelConfig Defaults = new()
    {
        ModelType = "phi3", VocabularySize = 32_064, HiddenSize = 3072, IntermediateSize = 8192,
        Layers = 32, Heads = 32, KvHeads = 0, HeadSize = 0,
        MaxPositions = 4096, NormEpsilon = 1e-5, TiedEmbeddings = false, BosId = 1, EosIds = [32_000], PadId = 32_000,
    };

    public static ModelPlan Read(JsonFields f, ModelTask task)
    {
        var config = f.Read(Defaults);
        // What the first files called "su" and "yarn" is LongRoPE.
        var rope = RopeReader.Read(f, config, type => type is "su" or "yarn" ? "longrope" : type, OriginalPositions);
        var activation = Activation.Read(f, "hidden_act", "silu");
        var options = new AttentionOptions { Window = f.Window(null) };
        return new ModelPlan(config, (network, c) =>
        {
            SelfAttention Attend(string at, int i)
            {
                var all = network.Site(at + "qkv_proj", (long)(c.Heads + 2 * c.KvHeads) * c.HeadSize, c.HiddenSize);
                var output = network.Site(at + "o_proj", c.HiddenSize, (long)c.Heads * c.HeadSize);
                return new SelfAttention(i, SelfAttention.InOne(c, all), output) { Rope = rope, Options = options };
            }
            Layer Block(int i)
            {
                var at = $"model.layers.{i}.";
                return Blocks.PreNorm(
                    network.Block(at, c),
                    Norms.Rms(network, at + "input_layernorm", c),
                    Attend(at + "self_attn.", i).Run,
                    Norms.Rms(network, at + "post_attention_layernorm", c),
                    FeedForward.GatedInOne(network, at + "mlp.", c, activation));
            }
            return new Decoder(network, c, "model.embed_tokens", Block, () => Norms.Rms(network, "model.norm", c));
        })
        { Ropes = [rope], AttentionOf = _ => options, NameOf = StoredNames.Decoder };
    }
}
