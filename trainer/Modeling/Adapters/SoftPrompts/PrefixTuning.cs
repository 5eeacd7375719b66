using System.Text.Json.Nodes;
using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>Prefix tuning: see <see cref="PrefixTuningMethod"/>.</summary>
internal sealed class PrefixTuning(PrefixTuningMethod options) : VirtualTokenTuning(options.VirtualTokens)
{
    private const string Encoder = "prompt_encoder";

    private Prefix? prefix;

    public override string Name => "prefixTuning";
    
    // A network behind the prefix wants a network's rate.
    public override double DefaultLearningRate => options.Projection is null ? 1e-2 : 1e-3;


    internal override string? StateFile => options.Projection is null ? ArtifactLayout.AdapterWeights : ArtifactLayout.TrainingState;

    private protected override string PeftType => "PREFIX_TUNING";

    public static PrefixTuning Read(AdapterFolder folder)
    {
        var (fields, tokens) = (folder.Config, PeftPromptConfig.Tokens(folder));
        var projection = fields.Flag("prefix_projection") == true ? new PrefixProjection(fields.Integer("encoder_hidden_size")) : null;
        fields.ThrowIfWrong();
        return new(new PrefixTuningMethod(tokens, projection)) { SavedNames = PeftPromptConfig.Saved(folder) };
    }

    private protected override IEnumerable<string> Problems()
    {
        if (options.Projection?.HiddenSize is { } hidden and < 1)
            yield return $"method.prefixTuning.projection.hiddenSize is {hidden}; it must be at least 1.";
    }

    private protected override void DeclareLead(Attachment attachment, BaseModel model, AdapterTensors tensors)
    {
        var c = model.Config;
        var (keys, all) = (Width(c), 2 * c.Layers * Width(c));
        // What serves knows only what the projection computed.
        attachment.Prefix = prefix = options.Projection is { } projection && tensors.Learn
            ? new Prefix(
                tensors.Take($"{Encoder}.embedding.weight", [Tokens, keys], Initial.Normal(1)), c,
                new Perceptron(tensors, $"{Encoder}.transform", x => x.tanh(), keys, projection.HiddenSize ?? c.HiddenSize, all))
            : new Prefix(tensors.Take(Embeddings, [Tokens, all], First(model)), c);
    }

    private protected override Tensor Computed() => prefix!.Flat();

    /// <summary>
    /// What the model itself makes of tokens that are drawn from its vocabulary: Li and Liang found that activations of real words learn
    /// better than random numbers where rows are few. A classifier's prefix is random, as in P-tuning v2.
    /// </summary>
    private Draw First(BaseModel model) => (shape, rng) =>
    {
        if (model.Transformer is not CausalLM network) return Initial.Normal(1)(shape, rng);
        using var scope = NewDisposeScope();
        var ids = randint(0, model.Config.VocabularySize, [Tokens], ScalarType.Int64, CPU, generator: rng).to(model.Device);
        using var cache = new KvCache(model.Config, Tokens, model.Device, model.DType);
        using var pass = new Pass([new Segment(0, Tokens, cache)], model.Device);
        network.Forward(ids, pass);
        return cache.Held().permute(3, 0, 1, 2, 4).reshape(shape).to_type(ScalarType.Float32).cpu().clone().MoveToOuterDisposeScope();
    };

    private protected override void Describe(IDictionary<string, JsonNode?> fields, ModelConfig config, string baseModelName)
    {
        // Those of keys and values, where queries have more heads.
        (fields["num_attention_heads"], fields["token_dim"]) = (config.KvHeads, Width(config));
        fields["encoder_hidden_size"] = options.Projection is { } projection ? projection.HiddenSize ?? config.HiddenSize : Width(config);
        fields["init_weights"] = null;
        fields["prefix_projection"] = options.Projection is not null;
    }

    /// <summary>Of a layer's keys, and of its values.</summary>
    private static int Width(ModelConfig config) => config.KvHeads * config.HeadSize;
}
