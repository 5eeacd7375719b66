using Graft.Modeling.Files;

namespace Graft.Modeling.Models;

/// <summary>Which layers of an architecture slide, as a GGUF file can say it.</summary>
internal enum GgufWindows
{
    /// <summary>llama.cpp gives the architecture none.</summary>
    None,

    /// <summary>All or none of them.</summary>
    Every,

    /// <summary>All but the last of so many in turn.</summary>
    Pattern,
}

/// <summary>How llama.cpp says an architecture in GGUF, and with which values it computes where the metadata say nothing.</summary>
internal sealed record GgufArchitecture
{
    /// <summary><c>general.architecture</c>, by which all its keys begin.</summary>
    public required string Name { get; init; }

    /// <summary>What a file of it is called in Hugging Face's <c>model_type</c>.</summary>
    public required string ModelType { get; init; }

    /// <summary>Hugging Face's name of architecture and head together.</summary>
    public required string Class { get; init; }

    /// <summary>Other types of models that are written as this one.</summary>
    public IReadOnlyList<string> Also { get; init; } = [];
    public required GgufNames Tensors { get; init; }

    /// <summary>What Hugging Face calls the common values.</summary>
    public ConfigReading.Names Fields { get; init; } = new();

    /// <summary>The key of the norms' epsilon.</summary>
    public string Epsilon { get; init; } = "attention.layer_norm_rms_epsilon";

    /// <summary>The field of the activation, and its name.</summary>
    public (string Field, string Name) Activation { get; init; } = ("hidden_act", "silu");

    /// <summary>Fields of biases that such a file has none of.</summary>
    public IReadOnlyList<string> WithoutBias { get; init; } = [];
    public GgufWindows Windows { get; init; }

    /// <summary>Of the pattern of sliding layers, and their window, where a file does not say them.</summary>
    public int Period { get; init; }
    public int? Window { get; init; }

    /// <summary>The cap on scores where a file does not say it; null: it has none.</summary>
    public double? ScoreCap { get; init; }

    /// <summary>Whether logits may have a cap, and which where a file does not say it.</summary>
    public bool CapsLogits { get; init; }
    public double? LogitCap { get; init; }

    /// <summary>
    /// The scale of scores goes by <c>query_pre_attn_scalar</c>, for which GGUF has no key: it is the size of a head, and in a model of
    /// so many layers the hidden size shared by the heads.
    /// </summary>
    public int? LayersScaledByHidden { get; init; }

    /// <summary>False: the embedding is the output head, always.</summary>
    public bool HasHead { get; init; } = true;

    /// <summary>False: positions are learned.</summary>
    public bool Rotates { get; init; } = true;

    /// <summary>Only a part of each head may be turned.</summary>
    public bool RotatesPart { get; init; }

    /// <summary>Layers that slide turn by a base of their own, and are never scaled.</summary>
    public bool HasLocalBase { get; init; }

    /// <summary>The base of rotary positions where a file does not say it.</summary>
    public double Theta { get; init; } = 10_000;

    public bool IsOf(string modelType) => ModelType == modelType || Also.Contains(modelType);

    /// <summary>What scores are divided by the square root of.</summary>
    public int Scalar(int layers, int hidden, int heads, int headSize) => layers == LayersScaledByHidden ? hidden / heads : headSize;

    /// <summary>Whether a layer slides.</summary>
    public static bool Slides(int layer, int period) => layer % period < period - 1;
}
