namespace Graft.Contract;

/// <summary>Vectors that train stand before the text's embeddings (Lester et al. 2021, arXiv:2104.08691).</summary>
/// <param name="VirtualTokens">How many; they count towards the model's longest input.</param>
/// <param name="Initialization">Null: <see cref="PromptInitialization.SampledVocabulary"/>.</param>
public sealed record PromptTuningMethod(int VirtualTokens = 20, PromptInitialization? Initialization = null);

/// <summary>A union: exactly one member is set. What the vectors are before the first step.</summary>
public sealed record PromptInitialization
{
    public RandomInitialization? Random { get; init; }
    public SampledVocabulary? SampledVocabulary { get; init; }

    /// <summary>The embeddings of this text's tokens, repeated or cut to as many as there are virtual tokens.</summary>
    public string? Text { get; init; }
}

/// <summary>Standard normal numbers, as an embedding is initialised.</summary>
public sealed record RandomInitialization;

/// <summary>The embeddings of tokens that are drawn from the vocabulary.</summary>
public sealed record SampledVocabulary;
