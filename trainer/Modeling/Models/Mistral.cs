namespace Graft.Modeling.Models;

/// <summary>Mistral (Jiang et al. 2023, arXiv:2310.06825): Llama's blocks with attention over a sliding window in every layer.</summary>
internal static class Mistral
{
    private static readonly ModelConfig Defaults = new()
    {
        ModelType = "mistral", VocabularySize = 32_000, HiddenSize = 4096, IntermediateSize = 14_336,
        Layers = 32, Heads = 32, KvHeads = 8, HeadSize = 0,
        MaxPositions = 131_072, NormEpsilon = 1e-6, TiedEmbeddings = false, BosId = 1, EosIds = [2],
    };

    public static ModelPlan Read(JsonFields f, ModelTask task)
    {
        var config = f.Read(Defaults);
        var rope = RopeReader.Read(f, config);
        var activation = Activation.Read(f, "hidden_act", "silu");
        var options = new AttentionOptions { Window = f.Window(4096) };
        return new ModelPlan(config, (network, c) =>
        {
            Layer Block(int i)
            {
                var at = $"model.layers.{i}.";
                return Blocks.PreNorm(
                    network.Block(at, c),
                    Norms.Rms(network, at + "input_layernorm", c),
                    (SelfAttention.Llama(network, at + "self_attn.", i, c) with { Rope = rope, Options = options }).Run,
                    Norms.Rms(network, at + "post_attention_layernorm", c),
                    FeedForward.Gated(network, at + "mlp.", c, activation));
            }
            return new Decoder(network, c, "model.embed_tokens", Block, () => Norms.Rms(network, "model.norm", c));
        })
        { Ropes = [rope], AttentionOf = _ => options, NameOf = StoredNames.Decoder };
    }
}
