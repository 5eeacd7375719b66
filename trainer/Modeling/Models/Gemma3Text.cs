namespace Graft.Modeling.Models;

/// <summary>
/// Gemma 3 without its vision part (arXiv:2503.19786): Gemma 2's blocks with norms over each head of queries and keys in place of the
/// cap on scores; five layers with a sliding window and rotary positions of their own to each layer that sees everything.
/// </summary>
internal static class Gemma3Text
{
    private static readonly ModelConfig Defaults = new()
    {
        ModelType = "gemma3_text", VocabularySize = 262_208, HiddenSize = 2304, IntermediateSize = 9216,
        Layers = 26, Heads = 8, KvHeads = 4, HeadSize = 256,
        MaxPositions = 131_072, NormEpsilon = 1e-6, NormOffset = true, TiedEmbeddings = true, BosId = 2, EosIds = [1], PadId = 0,
    };

    public static ModelPlan Read(JsonFields f, ModelTask task)
    {
        var config = f.Read(Defaults);
        f.RefuseTrue("use_bidirectional_attention");
        if (f.Has("attn_logit_softcapping")) f.Wrong("attn_logit_softcapping is set, which the architecture has no place for");
        var (local, global) = Ropes(f, config);
        var activation = Activation.Read(f, "hidden_activation", "gelu_pytorch_tanh");
        var bias = f.Flag("attention_bias") ?? false;
        var options = new AttentionOptions { Scale = 1 / Math.Sqrt(f.PositiveOrNone("query_pre_attn_scalar", 256) ?? 256) };
        // Files say the activation, and since transformers 5 the pattern of layers, in two ways.
        f.Know("hidden_act", "rope_local_base_freq", "sliding_window_pattern", "_sliding_window_pattern");
        var window = f.Window(4096);
        var pattern = f.Integer("sliding_window_pattern") ?? f.Integer("_sliding_window_pattern") ?? 6;
        if (pattern < 1) f.Wrong($"sliding_window_pattern is {pattern}; it must be at least 1");
        var sliding = f.SlidingLayers(config.Layers, i => (i + 1) % Math.Max(1, pattern) != 0);
        AttentionOptions Options(int i) => options with { Window = sliding[i] ? window : null };
        return new ModelPlan(config, (network, c) =>
        {
            Layer Block(int i)
            {
                var at = $"model.layers.{i}.";
                var attention = SelfAttention.Llama(network, at + "self_attn.", i, c, bias, bias) with
                {
                    Rope = sliding[i] ? local : global,
                    Options = Options(i),
                    QueryNorm = Norms.RmsOfHeads(network, at + "self_attn.q_norm", c),
                    KeyNorm = Norms.RmsOfHeads(network, at + "self_attn.k_norm", c),
                };
                return Gemma2.Wire(network, at, attention, c, activation);
            }
            return new Decoder(
                network, c, "model.embed_tokens", Block, () => Norms.Rms(network, "model.norm", c), scale: Math.Sqrt(c.HiddenSize));
        })
        {
            Ropes = [local, global],
            AttentionOf = Options,
            NameOf = StoredNames.Decoder,
            LogitSoftCap = f.PositiveOrNone("final_logit_softcapping", null),
        };
    }

    /// <summary>
    /// Since transformers 5 an object for each type of layer; before, <c>rope_scaling</c> and <c>rope_theta</c> of the full layers and
    /// <c>rope_local_base_freq</c> of the others, which are never scaled.
    /// </summary>
    private static (Rope Local, Rope Global) Ropes(JsonFields f, ModelConfig config)
    {
        var each = f.Object("rope_parameters");
        var (sliding, full) = (each?.Object("sliding_attention"), each?.Object("full_attention") ?? f.Object("rope_scaling"));
        return
        (
            RopeReader.Make(f, sliding, config, sliding?.Number("rope_theta") ?? f.Number("rope_local_base_freq") ?? 10_000),
            RopeReader.Make(f, full, config, full?.Number("rope_theta") ?? f.Number("rope_theta") ?? 1_000_000)
        );
    }
}
