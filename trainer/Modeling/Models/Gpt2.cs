using System.Text.RegularExpressions;

namespace Graft.Modeling.Models;

/// <summary>
/// GPT-2 (Radford et al. 2019): pre-norm blocks with layer norms, biases everywhere, learned positions, a plain feed-forward; linear layers
/// are stored as (in, out), and the embedding is the output head.
/// </summary>
internal static partial class Gpt2
{
    private static readonly ModelConfig Defaults = new()
    {
        ModelType = "gpt2", VocabularySize = 50_257, HiddenSize = 768, IntermediateSize = 0,
        Layers = 12, Heads = 12, KvHeads = 0, HeadSize = 0,
        MaxPositions = 1024, NormEpsilon = 1e-5, TiedEmbeddings = true, BosId = 50_256, EosIds = [50_256],
    };

    internal static readonly ConfigReading.Names Names = new()
    {
        Hidden = "n_embd", Inner = "n_inner", Layers = "n_layer", Heads = "n_head",
        Positions = "n_positions", Epsilon = "layer_norm_epsilon",
    };

    public static ModelPlan Read(JsonFields f, ModelTask task)
    {
        var config = f.Read(Defaults, Names);
        var activation = Activation.Read(f, "activation_function", "gelu_new");
        var scaled = f.Flag("scale_attn_weights") ?? true;
        var byDepth = f.Flag("scale_attn_by_inverse_layer_idx") ?? false;
        AttentionOptions Options(int i) => new()
        {
            Scale = (scaled ? 1 / Math.Sqrt(config.HeadSize) : 1) / (byDepth ? i + 1 : 1),
        };
        return new ModelPlan(config, (network, c) =>
        {
            LinearSite Conv(string name, long outFeatures, long inFeatures) =>
                network.Site(name, outFeatures, inFeatures, bias: true, inputFirst: true);
            SelfAttention Attend(string at, int i)
            {
                var all = Conv(at + "c_attn", 3L * c.HiddenSize, c.HiddenSize);
                return new SelfAttention(i, SelfAttention.InOne(c, all), Conv(at + "c_proj", c.HiddenSize, c.HiddenSize))
                {
                    Options = Options(i),
                };
            }
            Layer Block(int i)
            {
                var at = $"transformer.h.{i}.";
                var (attentionNorm, attention) = (Norms.LayerNorm(network, at + "ln_1", c), Attend(at + "attn.", i));
                var feedForwardNorm = Norms.LayerNorm(network, at + "ln_2", c);
                var inner = Conv(at + "mlp.c_fc", c.IntermediateSize, c.HiddenSize);
                var outer = Conv(at + "mlp.c_proj", c.HiddenSize, c.IntermediateSize);
                return Blocks.PreNorm(
                    network.Block(at, c),
                    attentionNorm, attention.Run, feedForwardNorm, FeedForward.Plain(inner, outer, activation));
            }
            return new Decoder(
                network, c, "transformer.wte", Block, () => Norms.LayerNorm(network, "transformer.ln_f", c),
                positions: "transformer.wpe.weight");
        })
        { AttentionOf = Options, NameOf = name => NameOf(name, config.TiedEmbeddings) };
    }

    /// <summary>The first published files lack the prefix and hold the causal mask of each layer.</summary>
    private static string? NameOf(string name, bool tied) =>
        StoredMask().IsMatch(name) || (tied && name == "lm_head.weight") ? null
            : StoredNames.Under("transformer.", name, "wte.", "wpe.", "h.", "ln_f.");

    [GeneratedRegex(@"^(transformer\.)?h\.[0-9]+\.attn\.(masked_)?bias$")]
    private static partial Regex StoredMask();
}
