using System.Text.Json.Nodes;
using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>P-tuning: see <see cref="PTuningMethod"/>. The network is PEFT's, which is NVIDIA NeMo's.</summary>
internal sealed class PTuning(PTuningMethod options) : VirtualTokenTuning(options.VirtualTokens)
{
    private const string Encoder = "prompt_encoder";

    private readonly PTuningEncoder kind = options.Encoder ?? new PTuningEncoder { Mlp = new MlpEncoder() };
    private SoftPrompt? prompt;

    public override string Name => "pTuning";
    public override double DefaultLearningRate => 1e-3;
    internal override string? StateFile => ArtifactLayout.TrainingState;

    private protected override string PeftType => "P_TUNING";

    private int? AskedHidden => kind.Mlp?.HiddenSize ?? kind.Lstm?.HiddenSize;

    public static PTuning Read(AdapterFolder folder)
    {
        var (fields, tokens) = (folder.Config, PeftPromptConfig.Tokens(folder));
        var hidden = fields.Integer("encoder_hidden_size");
        var encoder = fields.Text("encoder_reparameterization_type") == "LSTM"
            ? new PTuningEncoder
            {
                Lstm = new LstmEncoder(hidden, fields.Integer("encoder_num_layers") ?? 2, fields.Number("encoder_dropout") ?? 0),
            }
            : new PTuningEncoder { Mlp = new MlpEncoder(hidden) };
        fields.ThrowIfWrong();
        return new(new PTuningMethod(tokens, encoder)) { SavedNames = PeftPromptConfig.Saved(folder) };
    }

    private protected override IEnumerable<string> Problems()
    {
        const string at = "method.pTuning.encoder";
        if (kind.Mlp is null == kind.Lstm is null) yield return $"{at}: exactly one of mlp, lstm must be set.";
        if (AskedHidden is < 1)
            yield return $"{at}.{(kind.Mlp is null ? "lstm" : "mlp")}.hiddenSize is {AskedHidden}; it must be at least 1.";
        if (kind.Lstm is not { } lstm) yield break;
        if (lstm.Layers < 1) yield return $"{at}.lstm.layers is {lstm.Layers}; it must be at least 1.";
        if (lstm.Dropout is not (>= 0 and < 1)) yield return $"{at}.lstm.dropout is {lstm.Dropout}; it must be at least 0 and below 1.";
    }

    private protected override void DeclareLead(Attachment attachment, BaseModel model, AdapterTensors tensors)
    {
        var size = model.Config.HiddenSize;
        // What serves knows only what the network computed.
        attachment.Prompt = prompt = tensors.Learn
            ? new EncodedPrompt(
                tensors.Take($"{Encoder}.embedding.weight", [Tokens, size], Initial.Normal(1)), Network(tensors, size, AskedHidden ?? size))
            : new PromptVectors(tensors.Take(Embeddings, [Tokens, size], Initial.Zero));
    }

    private protected override Tensor Computed() => prompt!.Vectors(ScalarType.Float32);

    private protected override void Describe(IDictionary<string, JsonNode?> fields, ModelConfig config, string baseModelName)
    {
        fields["encoder_dropout"] = kind.Lstm?.Dropout ?? 0;
        fields["encoder_hidden_size"] = AskedHidden ?? config.HiddenSize;
        fields["encoder_num_layers"] = kind.Lstm?.Layers ?? 2;
        fields["encoder_reparameterization_type"] = kind.Lstm is null ? "MLP" : "LSTM";
    }

    private PromptEncoder Network(AdapterTensors tensors, int size, int hidden)
    {
        if (kind.Lstm is not { } lstm)
            return new Perceptron(tensors, $"{Encoder}.mlp_head", x => x.relu(), size, hidden, hidden, size);
        var dropout = lstm.Dropout > 0 ? new Dropout(lstm.Dropout, Rng!, this) : null;
        return new LstmPromptEncoder(tensors, lstm, Encoder, size, hidden, dropout);
    }
}
