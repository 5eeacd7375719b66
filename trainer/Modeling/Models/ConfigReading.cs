using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>
/// Reads what configurations of all families share. A field that is missing has the family's default; null means none. Fields of dropout are
/// left alone: they say how the model was first trained, not what it computes.
/// </summary>
internal static class ConfigReading
{
    /// <summary>What a family calls the common fields.</summary>
    internal sealed record Names
    {
        public string Hidden { get; init; } = "hidden_size";
        public string Inner { get; init; } = "intermediate_size";
        public string Layers { get; init; } = "num_hidden_layers";
        public string Heads { get; init; } = "num_attention_heads";
        public string Positions { get; init; } = "max_position_embeddings";
        public string Epsilon { get; init; } = "rms_norm_eps";
    }

    private static readonly Names Usual = new();

    /// <summary>The family's defaults with what the file says instead.</summary>
    /// <param name="defaults">
    /// No key-value heads mean as many as heads, no head size the hidden size shared by the heads, no intermediate size four times the
    /// hidden size.
    /// </param>
    public static ModelConfig Read(this JsonFields f, ModelConfig defaults, Names? names = null)
    {
        names ??= Usual;
        // Where a family has a name of its own, the usual one means the same.
        int Count(string own, string usual, int otherwise) => f.Integer(own) ?? f.Integer(usual) ?? otherwise;
        f.Know(Usual.Hidden, Usual.Layers, Usual.Heads, Usual.Positions);
        var hidden = Count(names.Hidden, Usual.Hidden, defaults.HiddenSize);
        var heads = Count(names.Heads, Usual.Heads, defaults.Heads);
        var inner = f.OrNone(names.Inner, defaults.IntermediateSize);
        return defaults with
        {
            VocabularySize = f.CountOr("vocab_size", defaults.VocabularySize),
            HiddenSize = hidden,
            IntermediateSize = inner is null or 0 ? (int)Math.Min(int.MaxValue, 4L * hidden) : inner.Value,
            Layers = Count(names.Layers, Usual.Layers, defaults.Layers),
            Heads = heads,
            KvHeads = f.OrNone("num_key_value_heads", defaults.KvHeads) is { } groups and not 0 ? groups : heads,
            HeadSize = f.OrNone("head_dim", defaults.HeadSize) is { } size and not 0 ? size : heads == 0 ? 0 : hidden / heads,
            MaxPositions = Count(names.Positions, Usual.Positions, defaults.MaxPositions),
            NormEpsilon = f.Number(names.Epsilon) ?? defaults.NormEpsilon,
            TiedEmbeddings = f.Flag("tie_word_embeddings") ?? defaults.TiedEmbeddings,
            StoredType = StoredType(f),
            InitializerRange = f.Number("initializer_range") ?? defaults.InitializerRange,
            BosId = Ids(f, "bos_token_id", defaults.BosId) is [var bos, ..] ? bos : null,
            PadId = Ids(f, "pad_token_id", defaults.PadId) is [var pad, ..] ? pad : null,
            EosIds = Ids(f, "eos_token_id", defaults.EosIds is [var eos, ..] ? eos : null),
        };
    }

    /// <summary>A whole number; the default where the field is missing, none where it is null.</summary>
    public static int? OrNone(this JsonFields f, string name, int? otherwise) => f.IsNull(name) ? null : f.Integer(name) ?? otherwise;

    /// <summary>A number above 0; the default where the field is missing, none where it is null.</summary>
    public static double? PositiveOrNone(this JsonFields f, string name, double? otherwise)
    {
        var value = f.IsNull(name) ? null : f.Number(name) ?? otherwise;
        if (value is <= 0 or double.NaN) f.Wrong($"{name} is {value}; it must be above 0");
        return value;
    }

    /// <summary>Tokens that a sliding layer sees, or null.</summary>
    public static int? Window(this JsonFields f, int? otherwise)
    {
        var window = f.OrNone("sliding_window", otherwise);
        if (window < 1) f.Wrong($"sliding_window is {window}; it must be at least 1");
        return window;
    }

    /// <summary>Which layers slide, by <c>layer_types</c> or else by the family's rule.</summary>
    public static IReadOnlyList<bool> SlidingLayers(this JsonFields f, int layers, Func<int, bool> otherwise)
    {
        if (f.Texts("layer_types") is not { } types) return [.. Enumerable.Range(0, Math.Clamp(layers, 0, 4096)).Select(otherwise)];
        if (types.Count != layers) f.Wrong($"layer_types has {types.Count} entries for {layers} layers");
        foreach (var strange in types.Distinct(StringComparer.Ordinal).Where(t => t is not ("full_attention" or "sliding_attention")))
            f.Wrong($"layer_types holds '{strange}'; supported: full_attention, sliding_attention");
        return [.. types.Select(t => t == "sliding_attention")];
    }

    /// <summary>An option that must have the value that alone is implemented.</summary>
    public static void RefuseTrue(this JsonFields f, params string[] names)
    {
        foreach (var name in names)
            if (f.Flag(name) == true) f.Wrong($"{name} is true, which is not supported");
    }

    public static void RefuseCommon(JsonFields f, ModelTask task)
    {
        if (f.Has("quantization_config"))
            f.Wrong("quantization_config: quantised safetensors are not supported; use the original weights or a GGUF file");
        f.RefuseTrue("is_encoder_decoder", "add_cross_attention");
        if (f.Object("pruned_heads") is { IsEmpty: false }) f.Wrong("pruned_heads is not empty, which is not supported");
        if (task == ModelTask.Classification && f.Text("problem_type") is { } problem and not "single_label_classification")
            f.Wrong($"problem_type is '{problem}'; only single_label_classification is supported");
    }

    /// <summary>By <c>id2label</c>, in the order of its ids; two where there is none, as in the reference.</summary>
    public static IReadOnlyList<string> Labels(JsonFields f)
    {
        if (f.Object("id2label") is not { } labels)
        {
            var count = f.CountOr("num_labels", 2);
            if (count is >= 1 and <= 1 << 20) return Unnamed(count);
            f.Wrong($"num_labels is {count}");
            return [];
        }
        var named = labels.Names.Select(n => (Id: int.TryParse(n, out var id) ? id : -1, Label: labels.Text(n) ?? ""))
            .OrderBy(l => l.Id).ToList();
        if (named.Count == 0 || named.Where((l, i) => l.Id != i).Any()) f.Wrong("id2label must name the ids 0, 1, 2 and so on");
        return [.. named.Select(l => l.Label)];
    }

    /// <summary>What labels are called that nobody named.</summary>
    public static IReadOnlyList<string> Unnamed(int count) => [.. Enumerable.Range(0, count).Select(i => $"LABEL_{i}")];

    public static bool AreUnnamed(IReadOnlyList<string> labels) => labels.SequenceEqual(Unnamed(labels.Count));

    /// <summary>
    /// Whether a head for its own labels is one for those that are wanted: the same, or as many where one side has no names.
    /// </summary>
    public static bool Fits(IReadOnlyList<string> own, IReadOnlyList<string> wanted) =>
        own.SequenceEqual(wanted) || (own.Count == wanted.Count && (AreUnnamed(own) || AreUnnamed(wanted)));

    public static void Check(ModelConfig c, JsonFields f)
    {
        var sound = true;
        foreach (var (name, value) in new[]
        {
            ("vocabulary", c.VocabularySize), ("hidden size", c.HiddenSize), ("intermediate size", c.IntermediateSize),
            ("number of layers", c.Layers), ("number of heads", c.Heads), ("number of key-value heads", c.KvHeads),
            ("head size", c.HeadSize), ("number of positions", c.MaxPositions),
        })
        {
            if (value is >= 1 and <= 1 << 24) continue;
            f.Wrong($"the {name} is {value}");
            sound = false;
        }
        if (sound && c.Heads % c.KvHeads != 0) f.Wrong($"{c.Heads} heads cannot share {c.KvHeads} key-value heads evenly");
        if (c.Layers > 4096) f.Wrong($"{c.Layers} layers are more than the 4096 allowed");
        if (!double.IsFinite(c.NormEpsilon) || c.NormEpsilon < 0) f.Wrong($"the norms' epsilon is {c.NormEpsilon}");
    }

    private static IReadOnlyList<int> Ids(JsonFields f, string name, int? otherwise) =>
        f.IsNull(name) ? [] : f.Ids(name) is { Count: > 0 } ids ? ids : otherwise is { } id ? [id] : [];

    private static ScalarType StoredType(JsonFields f) => (f.Text("dtype") ?? f.Text("torch_dtype")) switch
    {
        "bfloat16" => ScalarType.BFloat16,
        "float16" => ScalarType.Float16,
        _ => ScalarType.Float32,
    };
}
