namespace Graft.Modeling.Models;

/// <summary>
/// What a model's configuration says, as GGUF metadata. A configuration with which llama.cpp would compute something else is refused by
/// the name of the field.
/// </summary>
internal sealed class GgufMetadata
{
    private readonly JsonFields fields;
    private readonly ModelPlan plan;
    private readonly ModelConfig config;
    private readonly GgufArchitecture own;
    private readonly List<(string, object)> values = [];

    private GgufMetadata(JsonFields fields, ModelPlan plan, GgufArchitecture own) =>
        (this.fields, this.plan, config, this.own) = (fields, plan, plan.Config, own);

    public IReadOnlyList<(string Key, object Value)> Values => values;

    /// <summary>Tensors that belong to the configuration.</summary>
    public IReadOnlyList<(string Name, float[] Values)> Tables { get; private set; } = [];

    /// <exception cref="ModelFormatException">With everything that cannot be said in GGUF.</exception>
    public static GgufMetadata Of(JsonFields fields, ModelPlan plan, GgufArchitecture own)
    {
        var metadata = new GgufMetadata(fields, plan, own);
        metadata.AddCommon();
        metadata.AddAttention();
        if (own.Rotates) metadata.Tables = GgufRopeMetadata.Add(fields, plan, own, metadata.Add);
        fields.ThrowIfWrong();
        return metadata;
    }

    private void Add(string key, object value) => values.Add(($"{own.Name}.{key}", value));

    private void AddCommon()
    {
        Add("vocab_size", (uint)config.VocabularySize);
        Add("context_length", (uint)config.MaxPositions);
        Add("embedding_length", (uint)config.HiddenSize);
        Add("block_count", (uint)config.Layers);
        Add("feed_forward_length", (uint)config.IntermediateSize);
        Add("attention.head_count", (uint)config.Heads);
        Add(own.Epsilon, (float)config.NormEpsilon);
        var (field, name) = own.Activation;
        if (fields.Text(field) is { } activation && !ReferenceEquals(Activation.Named(activation), Activation.Named(name)))
            fields.Wrong($"{field} is '{activation}'; GGUF's {own.Name} architecture has '{name}' alone");
        if (!own.HasHead && !config.TiedEmbeddings)
            fields.Wrong($"tie_word_embeddings is false; the output head of GGUF's {own.Name} architecture is its embedding");
        if (!own.Rotates) return;
        Add("attention.head_count_kv", (uint)config.KvHeads);
        Add("attention.key_length", (uint)config.HeadSize);
        Add("attention.value_length", (uint)config.HeadSize);
    }

    private void AddAttention()
    {
        var each = Enumerable.Range(0, config.Layers).Select(plan.AttentionOf).ToList();
        var scale = 1 / Math.Sqrt(own.Scalar(config.Layers, config.HiddenSize, config.Heads, config.HeadSize));
        if (each.FirstOrDefault(a => Math.Abs((a.Scale ?? 1 / Math.Sqrt(config.HeadSize)) / scale - 1) > 1e-6) is { } other)
            fields.Wrong($"{(own.LayersScaledByHidden is null ? "scores" : "query_pre_attn_scalar: scores")} are scaled by "
                + $"{other.Scale:g6}; GGUF's {own.Name} architecture scales those of this model by {scale:g6}");
        if (own.ScoreCap is not null) AddCap("attn_logit_softcapping", each[0].SoftCap, mayLack: false);
        if (own.CapsLogits) AddCap("final_logit_softcapping", plan.LogitSoftCap, mayLack: own.LogitCap is null);
        AddWindows([.. each.Select(a => a.Window)]);
    }

    private void AddCap(string key, double? cap, bool mayLack)
    {
        if (cap is { } value) Add(key, (float)value);
        else if (!mayLack) fields.Wrong($"{key} is null; GGUF's {own.Name} architecture always has one");
    }

    private void AddWindows(List<int?> windows)
    {
        const string key = "attention.sliding_window";
        var sizes = windows.OfType<int>().Distinct().ToList();
        switch (own.Windows)
        {
            case GgufWindows.None when sizes is [var size, ..]:
                fields.Wrong($"sliding_window is {size}, which GGUF's {own.Name} architecture cannot say");
                break;
            case GgufWindows.Every:
                Add(key, (uint)(windows[0] ?? 0));
                break;
            case GgufWindows.Pattern:
                if (Enumerable.Range(1, config.Layers + 1).Where(p => Fits(p, windows)).Select(p => (int?)p)
                        .OrderByDescending(p => p == own.Period).FirstOrDefault() is not { } period)
                {
                    fields.Wrong($"layer_types: GGUF's {own.Name} architecture has layers that slide but for every so-manieth alone");
                    break;
                }
                if (sizes is [var window]) Add(key, (uint)window);
                else if (own.Window is not null) fields.Wrong($"sliding_window is null; GGUF's {own.Name} architecture always has one");
                if (period != own.Period) Add(key + "_pattern", (uint)period);
                break;
        }
    }

    private static bool Fits(int period, List<int?> windows) =>
        windows.Select((w, i) => w is not null == GgufArchitecture.Slides(i, period)).All(fits => fits);
}
