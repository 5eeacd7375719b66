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
    public override double DefaultLearningRate => 1e-2;

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
            : new Prefix(tensors.Take(Embeddings, [Tokens, all], Initial.Normal(1)), c);
    }

    private protected override Tensor Computed() => prefix!.Flat();

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
