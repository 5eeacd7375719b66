namespace Graft.Modeling.Models;

/// <summary>
/// Llama (Touvron et al. 2023, arXiv:2302.13971; Llama 3, arXiv:2407.21783): pre-norm blocks of grouped-query attention with rotary
/// positions and a SwiGLU feed-forward.
/// </summary>
internal static class Llama
{
    private static readonly ModelConfig Defaults = new()
    {
        ModelType = "llama", VocabularySize = 32_000, HiddenSize = 4096, IntermediateSize = 11_008,
        Layers = 32, Heads = 32, KvHeads = 0, HeadSize = 0,
        MaxPositions = 2048, NormEpsilon = 1e-6, TiedEmbeddings = false, BosId = 1, EosIds = [2],
    };

    public static ModelPlan Read(JsonFields f, ModelTask task)
    {
        var config = f.Read(Defaults);
        var rope = RopeReader.Read(f, config);
        var activation = Activation.Read(f, "hidden_act", "silu");
        var (attentionBias, feedForwardBias) = (f.Flag("attention_bias") ?? false, f.Flag("mlp_bias") ?? false);
        return new ModelPlan(config, (network, c) =>
        {
            Layer Block(int i)
            {
                var at = $"model.layers.{i}.";
                return Blocks.PreNorm(
                    network.Block(at, c),
                    Norms.Rms(network, at + "input_layernorm", c),
                    (SelfAttention.Llama(network, at + "self_attn.", i, c, attentionBias, attentionBias) with { Rope = rope }).Run,
                    Norms.Rms(network, at + "post_attention_layernorm", c),
                    FeedForward.Gated(network, at + "mlp.", c, activation, feedForwardBias));
            }
            return new Decoder(network, c, "model.embed_tokens", Block, () => Norms.Rms(network, "model.norm", c));
        })
        { Ropes = [rope], NameOf = StoredNames.Decoder };
    }
}
