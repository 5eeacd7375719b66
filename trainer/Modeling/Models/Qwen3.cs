namespace Graft.Modeling.Models;

/// <summary>
/// Qwen 3 (Yang et al. 2025, arXiv:2505.09388): Llama's blocks with a norm over each head of queries and keys, a head size of its own, and
/// Qwen 2's sliding windows.
/// </summary>
internal static class Qwen3
{
    private static readonly ModelConfig Defaults = new()
    {
        ModelType = "qwen3", VocabularySize = 151_936, HiddenSize = 4096, IntermediateSize = 22_016,
        Layers = 32, Heads = 32, KvHeads = 32, HeadSize = 128,
        MaxPositions = 32_768, NormEpsilon = 1e-6, TiedEmbeddings = false,
    };

    public static ModelPlan Read(JsonFields f, ModelTask task)
    {
        var config = f.Read(Defaults);
        var rope = RopeReader.Read(f, config);
        var activation = Activation.Read(f, "hidden_act", "silu");
        var bias = f.Flag("attention_bias") ?? false;
        var windows = Qwen2.Windows(f, config);
        AttentionOptions Options(int i) => new() { Window = windows[i] };
        return new ModelPlan(config, (network, c) =>
        {
            SelfAttention Attend(string at, int i) => SelfAttention.Llama(network, at, i, c, bias, bias) with
            {
                Rope = rope,
                Options = Options(i),
                QueryNorm = Norms.RmsOfHeads(network, at + "q_norm", c),
                KeyNorm = Norms.RmsOfHeads(network, at + "k_norm", c),
            };
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
}
