namespace Graft.Modeling;

/// <summary>What a model's output head is for.</summary>
public enum ModelTask
{
    /// <summary>The next token: <see cref="CausalLM"/>.</summary>
    Generation,

    /// <summary>One of some labels for each text: <see cref="SequenceClassifier"/>.</summary>
    Classification,

    /// <summary>Hidden states, and one vector for each text: <see cref="TextEncoder"/>.</summary>
    Embedding,
}
