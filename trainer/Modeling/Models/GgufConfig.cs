using System.Text.Json.Nodes;

namespace Graft.Modeling.Models;

/// <summary>A GGUF file's metadata as Hugging Face's <c>config.json</c> says the same.</summary>
internal sealed class GgufConfig
{
    private readonly GgufFile file;
    private readonly GgufArchitecture own;

    private GgufConfig(GgufFile file, GgufArchitecture own) => (this.file, this.own) = (file, own);

    /// <exception cref="ModelFormatException">A value is missing, or one is set that is not implemented.</exception>
    public static JsonObject ToHuggingFace(GgufFile file)
    {
        var type = file.Text("general.architecture") ?? "";
        if (GgufArchitectures.Named(type) is not { } own)
            throw new ModelFormatException(file.Path,
                $"its architecture is '{type}'; supported: {string.Join(", ", GgufArchitectures.Names)}");
        GgufKeys.RefuseUnknown(file, own);
        return new GgufConfig(file, own).Read();
    }

    private ModelFormatException Bad(string problem) => new(file.Path, problem);

    private string Key(string name) => $"{own.Name}.{name}";

    private int Needed(string key) => file.Number(Key(key)) ?? throw Bad($"lacks the metadata value '{Key(key)}'");

    private double Number(string key, double otherwise) =>
        (file.Fraction(Key(key)) ?? otherwise) is var value && double.IsFinite(value) ? value
        : throw Bad($"its metadata value '{Key(key)}' is {value}");

    private JsonObject Read()
    {
        int hidden = Needed("embedding_length"), heads = Needed("attention.head_count"), layers = Needed("block_count");
        if (heads < 1 || hidden < 1) throw Bad($"has {heads} attention heads over a hidden size of {hidden}");
        var headSize = file.Number(Key("attention.key_length")) ?? hidden / heads;
        RefuseOptions(headSize, hidden / heads);
        if (!file.Tensors.TryGetValue("token_embd.weight", out var embedding)) throw Bad("lacks the tensor 'token_embd.weight'");
        if (!own.HasHead && file.Tensors.ContainsKey("output.weight"))
            throw Bad($"holds the tensor 'output.weight', but the output head of {own.Name} is its embedding");
        var config = new JsonObject
        {
            ["architectures"] = new JsonArray(own.Class),
            ["bos_token_id"] = file.Number("tokenizer.ggml.bos_token_id"),
            ["eos_token_id"] = file.Number("tokenizer.ggml.eos_token_id"),
            [own.Activation.Field] = own.Activation.Name,
            [own.Fields.Hidden] = hidden,
            [own.Fields.Inner] = Needed("feed_forward_length"),
            [own.Fields.Positions] = Needed("context_length"),
            ["model_type"] = own.ModelType,
            [own.Fields.Heads] = heads,
            [own.Fields.Layers] = layers,
            ["pad_token_id"] = file.Number("tokenizer.ggml.padding_token_id"),
            [own.Fields.Epsilon] = Number(own.Epsilon, 1e-5),
            ["tie_word_embeddings"] = !file.Tensors.ContainsKey("output.weight"),
            ["vocab_size"] = (int)Math.Min(int.MaxValue, embedding.Shape[0]),
        };
        foreach (var field in own.WithoutBias) config[field] = false;
        if (own.Rotates)
        {
            config["head_dim"] = headSize;
            config["num_key_value_heads"] = file.Number(Key("attention.head_count_kv")) ?? heads;
            AddRope(config, headSize);
        }
        AddCaps(config);
        AddWindows(config, layers);
        if (own.LayersScaledByHidden is not null) config["query_pre_attn_scalar"] = own.Scalar(layers, hidden, heads, headSize);
        return config;
    }

    private void AddRope(JsonObject config, int headSize)
    {
        var theta = Number("rope.freq_base", own.Theta);
        var turned = file.Number(Key("rope.dimension_count")) ?? headSize;
        var rope = GgufRope.Parameters(file, own, theta, turned, Needed("context_length"));
        // Both spellings, for readers before and since transformers 5.
        config["rope_scaling"] = (string?)rope["rope_type"] == "default" ? null : rope.DeepClone();
        config["rope_theta"] = theta;
        if (rope["original_max_position_embeddings"] is { } original && own.RotatesPart)
            config["original_max_position_embeddings"] = original.DeepClone();
        if (own.RotatesPart)
            (config["partial_rotary_factor"], rope["partial_rotary_factor"]) = (Share(turned, headSize), Share(turned, headSize));
        if (!own.HasLocalBase)
        {
            config["rope_parameters"] = rope;
            return;
        }
        var local = Number("rope.freq_base_swa", 10_000);
        config["rope_local_base_freq"] = local;
        config["rope_parameters"] = new JsonObject
        {
            ["full_attention"] = rope,
            ["sliding_attention"] = new JsonObject { ["rope_type"] = "default", ["rope_theta"] = local },
        };
    }

    /// <summary>A factor that gives the part again when it is multiplied and cut to a whole number.</summary>
    private static double Share(int part, int whole) =>
        (double)part / whole is var share && (int)(whole * share) < part ? Math.BitIncrement(share) : share;

    private void AddCaps(JsonObject config)
    {
        if (own.ScoreCap is { } score) config["attn_logit_softcapping"] = Number("attn_logit_softcapping", score);
        if (own.CapsLogits) config["final_logit_softcapping"] = Number("final_logit_softcapping", own.LogitCap ?? 0) is var cap and not 0
            ? cap : null;
    }

    private void AddWindows(JsonObject config, int layers)
    {
        if (own.Windows == GgufWindows.None) return;
        var window = file.Number(Key("attention.sliding_window")) ?? own.Window;
        config["sliding_window"] = window is 0 ? null : window;
        if (own.Windows != GgufWindows.Pattern) return;
        if (layers is < 1 or > 4096) throw Bad($"'{Key("block_count")}' is {layers}; 1 to 4096 are supported");
        const string key = "attention.sliding_window_pattern";
        var slides = file.Metadata.GetValueOrDefault(Key(key)) is Array each
            ? [.. each as bool[] ?? throw Bad($"'{Key(key)}' is no list of truth values")]
            : Enumerable.Range(0, layers).Select(Periodic(file.Number(Key(key)) ?? own.Period)).ToList();
        if (slides.Count != layers) throw Bad($"'{Key(key)}' has {slides.Count} entries for {layers} layers");
        if (window is null or 0)
        {
            if (own.HasLocalBase) slides = [.. slides.Select(_ => false)];
            config["sliding_window"] = null;
        }
        config["layer_types"] = new JsonArray([.. slides.Select(s => (JsonNode)(s ? "sliding_attention" : "full_attention"))]);
    }

    private Func<int, bool> Periodic(int period) => period >= 1 ? i => GgufArchitecture.Slides(i, period)
        : throw Bad($"'{Key("attention.sliding_window_pattern")}' is {period}; it must be at least 1");

    private void RefuseOptions(int headSize, int shared)
    {
        void Refuse(string key, string value) => throw Bad($"'{Key(key)}' is {value}, which is not supported");
        foreach (var key in new[] { "rope.dimension_count", "attention.value_length" })
            if (file.Number(Key(key)) is { } size && size != headSize
                && !(own.RotatesPart && key == "rope.dimension_count" && size >= 2 && size < headSize)) Refuse(key, $"{size}");
        if (!own.Rotates && headSize != shared) Refuse("attention.key_length", $"{headSize}");
        if (file.Number(Key("expert_count")) is { } experts and not 0) Refuse("expert_count", $"{experts}");
        if (own.Windows == GgufWindows.None && file.Number(Key("attention.sliding_window")) is { } window and not 0)
            Refuse("attention.sliding_window", $"{window}");
    }
}
