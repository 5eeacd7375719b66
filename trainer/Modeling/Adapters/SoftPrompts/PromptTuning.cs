using System.Text.Json.Nodes;
using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>Prompt tuning: see <see cref="PromptTuningMethod"/>.</summary>
internal sealed class PromptTuning(PromptTuningMethod options) : VirtualTokenTuning(options.VirtualTokens)
{
    private readonly PromptInitialization initialization =
        options.Initialization ?? new PromptInitialization { SampledVocabulary = new SampledVocabulary() };

    private Tensor? vectors;

    public override string Name => "promptTuning";
    public override double DefaultLearningRate => 3e-2;

    private protected override string PeftType => "PROMPT_TUNING";

    public static PromptTuning Read(AdapterFolder folder)
    {
        var (fields, tokens) = (folder.Config, PeftPromptConfig.Tokens(folder));
        // How it began decides nothing any more, but is written again.
        var first = fields.Text("prompt_tuning_init") switch
        {
            "TEXT" when fields.Text("prompt_tuning_init_text") is { } text => new PromptInitialization { Text = text },
            "SAMPLE_VOCAB" => new PromptInitialization { SampledVocabulary = new SampledVocabulary() },
            _ => new PromptInitialization { Random = new RandomInitialization() },
        };
        return new(new PromptTuningMethod(tokens, first)) { SavedNames = PeftPromptConfig.Saved(folder) };
    }

    private protected override IEnumerable<string> Problems()
    {
        object?[] members = [initialization.Random, initialization.SampledVocabulary, initialization.Text];
        if (members.Count(m => m is not null) != 1)
            yield return "method.promptTuning.initialization: exactly one of random, sampledVocabulary, text must be set.";
        if (initialization.Text is { } text && string.IsNullOrWhiteSpace(text))
            yield return "method.promptTuning.initialization.text is empty; write what the virtual tokens are to begin as.";
    }

    private protected override void DeclareLead(Attachment attachment, BaseModel model, AdapterTensors tensors)
    {
        vectors = tensors.Take(Embeddings, [Tokens, model.Config.HiddenSize], First(model));
        attachment.Prompt = new PromptVectors(vectors);
    }

    private protected override Tensor Computed() => vectors!;

    private protected override void Describe(IDictionary<string, JsonNode?> fields, ModelConfig config, string baseModelName)
    {
        var text = initialization.Text;
        fields["prompt_tuning_init"] = text is not null ? "TEXT" : initialization.Random is not null ? "RANDOM" : "SAMPLE_VOCAB";
        fields["prompt_tuning_init_text"] = text;
        fields["tokenizer_kwargs"] = null;
        // PEFT asks for it where there is a text.
        fields["tokenizer_name_or_path"] = text is null ? null : baseModelName;
    }

    private Draw First(BaseModel model) => (shape, rng) =>
    {
        if (initialization.Random is not null) return Initial.Normal(1)(shape, rng);
        using var scope = NewDisposeScope();
        var ids = initialization.Text is { } text ? tensor(OfText(model, text))
            : randint(0, model.Config.VocabularySize, [Tokens], ScalarType.Int64, CPU, generator: rng);
        return model.Transformer.VectorsOf(ids.to(model.Device)).to_type(ScalarType.Float32).cpu().clone().MoveToOuterDisposeScope();
    };

    /// <summary>
    /// The text's tokens with what the tokenizer puts around a text, cut or repeated to as many as there are, as PEFT does.
    /// </summary>
    /// <param name="vocabularySize">Rows of the model's embedding.</param>
    internal static long[] OfText(ITokenizer tokenizer, string text, int vocabularySize, int count)
    {
        const string field = "method.promptTuning.initialization.text";
        var ids = tokenizer.Encode(text, addSpecialTokens: true).Take(count).ToList();
        if (ids.Count == 0) throw new TuningException([$"{field} has no tokens in this model's vocabulary; write another text."]);
        foreach (var id in ids.Where(i => i >= vocabularySize))
            throw new TuningException([$"{field} holds '{tokenizer.Decode([id], skipSpecialTokens: false)}', a token that the model "
                + "has no embedding for; take it out."]);
        return [.. Enumerable.Range(0, count).Select(i => (long)ids[i % ids.Count])];
    }

    private long[] OfText(BaseModel model, string text) => model.HasTokenizer
        ? OfText(model.Tokenizer, text, model.Config.VocabularySize, Tokens)
        : throw new TuningException(["method.promptTuning.initialization.text needs a tokenizer, and the model was loaded without one."]);
}
