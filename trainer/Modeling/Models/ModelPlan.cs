namespace Graft.Modeling.Models;

/// <summary>What a configuration says, and how to build the network that it means.</summary>
/// <param name="Body">Takes the network that owns the weights, and the configuration as it was read in full.</param>
internal sealed record ModelPlan(ModelConfig Config, Func<Transformer, ModelConfig, Body> Body)
{
    /// <summary>The different rotary positions of its layers.</summary>
    public IReadOnlyList<Rope> Ropes { get; init; } = [];

    /// <summary>What a token of that layer sees, and how scores are made there.</summary>
    public Func<int, AttentionOptions> AttentionOf { get; init; } = _ => new AttentionOptions();

    /// <summary>Logits l become cap tanh(l / cap).</summary>
    public double? LogitSoftCap { get; init; }

    /// <summary>The head of a classifier.</summary>
    public Func<Transformer, ModelConfig, ClassifierHead> Classifier { get; init; } = ClassifierHeads.LastToken;

    /// <summary>The head that the file has is for other labels, and a new one takes its place.</summary>
    public bool NewHead { get; init; }

    /// <summary>The pooling of an encoder.</summary>
    public Func<Transformer, ModelConfig, Pooler>? Pooler { get; init; }

    /// <summary>A weight's name here by its name in the file; null: it is a table that older exporters stored.</summary>
    public Func<string, string?> NameOf { get; init; } = name => name;
}
