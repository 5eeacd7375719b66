namespace Graft.Modeling.Models;

/// <summary>
/// Qwen 2 and 2.5 (Yang et al. 2024, arXiv:2407.10671): Llama's blocks with biases on queries, keys and values, and, where it is asked for,
/// a sliding window in the upper layers.
/// </summary>
internal static class Qwen2
{
    private static readonly ModelConfig Defaults = new()
    {
        ModelType = "qwen2", VocabularySize = 151_936, HiddenSize = 4096, IntermediateSize = 22_016,
        Layers = 32, Heads = 32, KvHeads = 32, HeadSize = 0,
        MaxPositions = 32_768, NormEpsilon = 1e-6, TiedEmbeddings = false,
    };

    public static ModelPlan Read(JsonFields f, ModelTask task)
    {
        var config = f.Read(Defaults);
        var rope = RopeReader.Read(f, config);
        var activation = Activation.Read(f, "hidden_act", "silu");
        f.RefuseTrue("use_mrope");
        var windows = Windows(f, config);
        AttentionOptions Options(int i) => new() { Window = windows[i] };
        return new ModelPlan(config, (network, c) =>
        {
            SelfAttention Attend(string at, int i) =>
                SelfAttention.Llama(network, at, i, c, bias: true) with { Rope = rope, Options = Options(i) };
            Layer Block(int i)
            {
                var at = $"model.layers.{i}.";
                return Blocks.PreNorm(
                    network.Block(at, c),
                    Norms.Rms(network, at + "input_layernorm", c),
                    Attend(at + "self_attn.", i).Run,
                    Norms.Rms(network, at + "post_attention_layernorm", c),
                    FeedForward.Gated(network, at + "mlp.", c, activation));
            }
            return new Decoder(network, c, "model.embed_tokens", Block, () => Norms.Rms(network, "model.norm", c));
        })
        { Ropes = [rope], AttentionOf = Options, NameOf = StoredNames.Decoder };
    }

    /// <summary>Each layer's window: none without <c>use_sliding_window</c>; else from layer <c>max_window_layers</c> on.</summary>
    internal static IReadOnlyList<int?> Windows(JsonFields f, ModelConfig c)
    {
        f.Know("sliding_window");
        var window = f.Flag("use_sliding_window") == true ? f.Window(4096) : null;
        var lowest = f.CountOr("max_window_layers", 28);
        return [.. f.SlidingLayers(c.Layers, i => i >= lowest).Select(s => s ? window : null)];
    }
}
