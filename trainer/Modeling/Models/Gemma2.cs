namespace Graft.Modeling.Models;

/// <summary>
/// Gemma 2 (arXiv:2408.00118): norms before and after each half of a block, with weights 1 + w; soft caps on scores and logits; a sliding
/// window in every other layer; embeddings times sqrt(C), which are the output head too.
/// </summary>
internal static class Gemma2
{
    private static readonly ModelConfig Defaults = new()
    {
        ModelType = "gemma2", VocabularySize = 256_000, HiddenSize = 2304, IntermediateSize = 9216,
        Layers = 26, Heads = 8, KvHeads = 4, HeadSize = 256,
        MaxPositions = 8192, NormEpsilon = 1e-6, NormOffset = true, TiedEmbeddings = true, BosId = 2, EosIds = [1], PadId = 0,
    };

    public static ModelPlan Read(JsonFields f, ModelTask task)
    {
        var config = f.Read(Defaults);
        f.RefuseTrue("use_bidirectional_attention");
        // Written beside hidden_activation and sliding_window, and read by nobody.
        f.Know("hidden_act", "sliding_window_size");
        var rope = RopeReader.Read(f, config);
        var activation = Activation.Read(f, "hidden_activation", "gelu_pytorch_tanh");
        var bias = f.Flag("attention_bias") ?? false;
        var window = f.Window(4096);
        var sliding = f.SlidingLayers(config.Layers, i => i % 2 == 0);
        var full = new AttentionOptions
        {
            Scale = 1 / Math.Sqrt(f.PositiveOrNone("query_pre_attn_scalar", 256) ?? 256),
            SoftCap = f.PositiveOrNone("attn_logit_softcapping", 50),
        };
        AttentionOptions Options(int i) => full with { Window = sliding[i] ? window : null };
        return new ModelPlan(config, (network, c) =>
        {
            Layer Block(int i)
            {
                var at = $"model.layers.{i}.";
                var attention = SelfAttention.Llama(network, at + "self_attn.", i, c, bias, bias) with
                {
                    Rope = rope,
                    Options = Options(i),
                };
                return Wire(network, at, attention, c, activation);
            }
            return new Decoder(
                network, c, "model.embed_tokens", Block, () => Norms.Rms(network, "model.norm", c), scale: Math.Sqrt(c.HiddenSize));
        })
        {
            Ropes = [rope],
            AttentionOf = Options,
            NameOf = StoredNames.Decoder,
            LogitSoftCap = f.PositiveOrNone("final_logit_softcapping", 30),
        };
    }

    /// <summary>Norms, attention and feed-forward of a block, as in Gemma 3 too.</summary>
    internal static Layer Wire(
        Transformer network, string at, SelfAttention attention, ModelConfig c, Activation activation) => Blocks.SandwichNorm(
        network.Block(at, c),
        Norms.Rms(network, at + "input_layernorm", c),
        attention.Run,
        Norms.Rms(network, at + "post_attention_layernorm", c),
        Norms.Rms(network, at + "pre_feedforward_layernorm", c),
        FeedForward.Gated(network, at + "mlp.", c, activation),
        Norms.Rms(network, at + "post_feedforward_layernorm", c));
}
