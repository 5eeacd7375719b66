using System.Text.Json.Nodes;
using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// What prompt tuning, P-tuning and prefix tuning share: so many virtual tokens before each text, stored as one tensor as PEFT does, and
/// of a classifier the head, which trains whole beside them.
/// </summary>
/// <param name="tokens">Virtual tokens.</param>
internal abstract class VirtualTokenTuning(int tokens) : TuningMethod
{
    /// <summary>The tensor of a file that holds them: (virtual tokens, numbers of each).</summary>
    protected const string Embeddings = "prompt_embeddings";

    /// <summary>PEFT's name of what surrounds a model that virtual tokens stand before.</summary>
    private const string HeadPrefix = "base_model.";

    protected int Tokens => tokens;

    /// <summary>PEFT's <c>modules_to_save</c> of the folder that the method was read from; null: what a head may be called.</summary>
    private protected IReadOnlyList<string>? SavedNames { get; init; }

    /// <summary>What PEFT calls the method.</summary>
    private protected abstract string PeftType { get; }

    /// <summary>Problems of the options beside the number of tokens, each naming its field.</summary>
    private protected abstract IEnumerable<string> Problems();

    /// <summary>Puts the lead into the attachment.</summary>
    private protected abstract void DeclareLead(Attachment attachment, BaseModel model, AdapterTensors tensors);

    /// <summary>What is served: (virtual tokens, numbers of each) float32.</summary>
    private protected abstract Tensor Computed();

    /// <summary>The fields of PEFT's configuration that the method has alone, or says otherwise.</summary>
    private protected abstract void Describe(IDictionary<string, JsonNode?> fields, ModelConfig config, string baseModelName);

    private protected sealed override void CheckConfig(ModelConfig config)
    {
        var problems = Problems().ToList();
        var field = $"method.{Name}.virtualTokens is {tokens}";
        if (tokens < 1) problems.Add($"{field}; it must be at least 1.");
        // A text needs a token, and a generated one another.
        else if (tokens > config.MaxPositions - 2)
            problems.Add($"{field}, but the model takes {config.MaxPositions} tokens in all, which leaves no room for text; "
                + $"it can be at most {config.MaxPositions - 2}.");
        if (problems.Count > 0) throw new TuningException(problems);
    }

    private protected sealed override Attachment Declare(BaseModel model, AdapterTensors tensors)
    {
        var attachment = new Attachment();
        DeclareLead(attachment, model, tensors);
        TrainedHead.Add(model, tensors, attachment, HeadPrefix);
        return attachment;
    }

    public sealed override void Save(string folder, BaseModel model, string baseModelName)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var whole = Trainable.Where(t => t.Name.StartsWith(HeadPrefix, StringComparison.Ordinal)).Select(t => (t.Name, t.Parameter));
        SafetensorsWriter.Write(Path.Combine(folder, ArtifactLayout.AdapterWeights), [(Embeddings, Computed()), .. whole]);
        if (StateFile == ArtifactLayout.TrainingState) TrainingState.Write(folder, this);
        var fields = PeftPromptConfig.Of(PeftType, tokens, model.Config, SavedNames ?? TrainedHead.SavedNames(model), baseModelName);
        Describe(fields, model.Config, baseModelName);
        PeftConfig.Write(Path.Combine(folder, ArtifactLayout.AdapterConfig), fields);
    }

    private protected sealed override AdapterFacts Describe(AdapterFacts facts) => facts with { VirtualTokens = tokens };
}
