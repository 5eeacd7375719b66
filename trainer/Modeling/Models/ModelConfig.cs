using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>
/// What every model's configuration says, whichever spelling its file has. Options that one family alone has stay in its file.
/// </summary>
public sealed record ModelConfig
{
    /// <summary><c>model_type</c> of Hugging Face: <c>llama</c>.</summary>
    public required string ModelType { get; init; }

    /// <summary>Hugging Face's name of architecture and head together: <c>LlamaForCausalLM</c>.</summary>
    public string Architecture { get; init; } = "";
    public ModelTask Task { get; init; }
    public required int VocabularySize { get; init; }
    public required int HiddenSize { get; init; }
    public required int IntermediateSize { get; init; }
    public required int Layers { get; init; }
    public required int Heads { get; init; }
    public required int KvHeads { get; init; }
    public required int HeadSize { get; init; }

    /// <summary>Longest sequence in tokens that the model was made for.</summary>
    public required int MaxPositions { get; init; }
    public required double NormEpsilon { get; init; }

    /// <summary>Whether norm weights are stored as what they differ from one, as in Gemma.</summary>
    public bool NormOffset { get; init; }
    public required bool TiedEmbeddings { get; init; }

    /// <summary>Element type that the model is published in, which a model trained in full keeps.</summary>
    public ScalarType StoredType { get; init; } = ScalarType.Float32;

    /// <summary>Standard deviation of random weights.</summary>
    public double InitializerRange { get; init; } = 0.02;
    public int? BosId { get; init; }
    public int? PadId { get; init; }
    public IReadOnlyList<int> EosIds { get; init; } = [];

    /// <summary>A classifier's labels in the order of its logits; empty for other models.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];
}
