using System.Text.Json;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>
/// Reads a model's configuration from Hugging Face's <c>config.json</c> (the spelling before and since transformers 5) or from GGUF
/// metadata. An option that changes what the model computes and is not implemented is refused by name.
/// </summary>
internal static class ModelConfigReader
{
    public static readonly IReadOnlyList<string> SupportedTypes = ["llama"];

    /// <exception cref="ModelFormatException">With every problem at once.</exception>
    public static ModelConfig FromFolder(string folder)
    {
        var path = Path.Combine(folder, "config.json");
        if (!File.Exists(path)) throw new ModelFormatException(folder, "holds no config.json, so it is no model folder");
        using var config = Parse(path);
        var fields = new JsonFields(path, config.RootElement);
        var type = fields.Text("model_type");
        if (type is null || !SupportedTypes.Contains(type))
            throw new ModelFormatException(path, $"model_type is '{type}'; supported: {string.Join(", ", SupportedTypes)}");
        var read = ReadLlama(fields, type, GenerationEos(folder));
        fields.ThrowIfWrong();
        return Check(read, path);
    }

    public static ModelConfig FromGguf(GgufFile file)
    {
        var type = file.Text("general.architecture") ?? "";
        if (!SupportedTypes.Contains(type))
            throw new ModelFormatException(file.Path, $"its architecture is '{type}'; supported: {string.Join(", ", SupportedTypes)}");
        int Needed(string key) => file.Number($"{type}.{key}") ?? throw new ModelFormatException(file.Path, $"lacks the metadata value '{type}.{key}'");
        int hidden = Needed("embedding_length"), heads = Needed("attention.head_count");
        if (heads < 1 || hidden < 1) throw new ModelFormatException(file.Path, $"has {heads} attention heads over a hidden size of {hidden}");
        var headSize = file.Number($"{type}.attention.key_length") ?? hidden / heads;
        RefuseGgufOptions(file, type, headSize);
        if (!file.Tensors.TryGetValue("token_embd.weight", out var embedding))
            throw new ModelFormatException(file.Path, "lacks the tensor 'token_embd.weight'");
        return Check(new ModelConfig
        {
            ModelType = type,
            VocabularySize = (int)Math.Min(int.MaxValue, embedding.Shape[0]),
            HiddenSize = hidden,
            IntermediateSize = Needed("feed_forward_length"),
            Layers = Needed("block_count"),
            Heads = heads,
            KvHeads = file.Number($"{type}.attention.head_count_kv") ?? heads,
            HeadSize = headSize,
            MaxPositions = Needed("context_length"),
            NormEpsilon = file.Fraction($"{type}.attention.layer_norm_rms_epsilon") ?? 1e-5,
            RopeTheta = file.Fraction($"{type}.rope.freq_base") ?? 10_000,
            TiedEmbeddings = !file.Tensors.ContainsKey("output.weight"),
            BosId = file.Number("tokenizer.ggml.bos_token_id"),
            PadId = file.Number("tokenizer.ggml.padding_token_id"),
            EosIds = file.Number("tokenizer.ggml.eos_token_id") is { } eos ? [eos] : [],
        }, file.Path);
    }

    internal static JsonDocument Parse(string path)
    {
        try
        {
            return JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { MaxDepth = 64 });
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException(path, $"cannot be read: {e.Message}", e);
        }
    }

    private static void RefuseGgufOptions(GgufFile file, string type, int headSize)
    {
        void Refuse(string key, string value) => throw new ModelFormatException(file.Path, $"'{key}' is {value}, which is not supported");
        if (file.Text($"{type}.rope.scaling.type") is { } scaling and not "none") Refuse($"{type}.rope.scaling.type", scaling);
        if (file.Number($"{type}.rope.dimension_count") is { } rotated && rotated != headSize) Refuse($"{type}.rope.dimension_count", $"{rotated}");
        if (file.Number($"{type}.attention.value_length") is { } values && values != headSize) Refuse($"{type}.attention.value_length", $"{values}");
        foreach (var key in new[] { "expert_count", "attention.sliding_window" })
            if (file.Number($"{type}.{key}") is { } number and not 0) Refuse($"{type}.{key}", $"{number}");
    }

    private static ModelConfig ReadLlama(JsonFields fields, string type, IReadOnlyList<int> generationEos)
    {
        int hidden = fields.Count("hidden_size"), heads = fields.Count("num_attention_heads");
        var rope = fields.Object("rope_parameters") ?? fields.Object("rope_scaling");
        var scaling = rope?.Text("rope_type") ?? rope?.Text("type") ?? "default";
        if (scaling != "default") fields.Wrong($"rope scaling '{scaling}' is not supported; only unscaled rotary positions are");
        var partial = rope?.Number("partial_rotary_factor") ?? fields.Number("partial_rotary_factor");
        if (partial is not null and not 1) fields.Wrong($"partial_rotary_factor is {partial}; only 1 is supported");
        if (fields.Text("hidden_act") is { } activation and not "silu") fields.Wrong($"hidden_act is '{activation}'; only 'silu' is supported");
        foreach (var name in new[] { "attention_bias", "mlp_bias", "rope_interleaved" })
            if (fields.Flag(name) == true) fields.Wrong($"{name} is true, which is not supported");
        if (fields.Has("quantization_config")) fields.Wrong("quantization_config: quantised safetensors are not supported; use the original weights or a GGUF file");
        return new ModelConfig
        {
            ModelType = type,
            VocabularySize = fields.Count("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = fields.Count("intermediate_size"),
            Layers = fields.Count("num_hidden_layers"),
            Heads = heads,
            KvHeads = fields.CountOr("num_key_value_heads", heads),
            HeadSize = fields.CountOr("head_dim", heads == 0 ? 0 : hidden / heads),
            MaxPositions = fields.CountOr("max_position_embeddings", 2048),
            NormEpsilon = fields.Number("rms_norm_eps") ?? 1e-6,
            RopeTheta = rope?.Number("rope_theta") ?? fields.Number("rope_theta") ?? 10_000,
            TiedEmbeddings = fields.Flag("tie_word_embeddings") ?? false,
            StoredType = (fields.Text("dtype") ?? fields.Text("torch_dtype")) switch
            {
                "bfloat16" => ScalarType.BFloat16,
                "float16" => ScalarType.Float16,
                _ => ScalarType.Float32,
            },
            InitializerRange = fields.Number("initializer_range") ?? 0.02,
            BosId = fields.Ids("bos_token_id") is [var bos, ..] ? bos : null,
            PadId = fields.Ids("pad_token_id") is [var pad, ..] ? pad : null,
            EosIds = [.. fields.Ids("eos_token_id").Union(generationEos)],
        };
    }

    private static IReadOnlyList<int> GenerationEos(string folder)
    {
        var path = Path.Combine(folder, "generation_config.json");
        if (!File.Exists(path)) return [];
        using var json = Parse(path);
        var fields = new JsonFields(path, json.RootElement);
        var ids = fields.Ids("eos_token_id");
        fields.ThrowIfWrong();
        return ids;
    }

    private static ModelConfig Check(ModelConfig c, string path)
    {
        var problems = new List<string>();
        foreach (var (name, value) in new[]
        {
            ("vocabulary", c.VocabularySize), ("hidden size", c.HiddenSize), ("intermediate size", c.IntermediateSize), ("number of layers", c.Layers),
            ("number of heads", c.Heads), ("number of key-value heads", c.KvHeads), ("head size", c.HeadSize), ("number of positions", c.MaxPositions),
        })
            if (value is < 1 or > 1 << 24) problems.Add($"the {name} is {value}");
        if (problems.Count == 0 && c.Heads % c.KvHeads != 0) problems.Add($"{c.Heads} heads cannot share {c.KvHeads} key-value heads evenly");
        if (problems.Count == 0 && c.HeadSize % 2 != 0) problems.Add($"the head size {c.HeadSize} is odd, so rotary positions do not apply");
        if (c.Layers > 4096) problems.Add($"{c.Layers} layers are more than the 4096 allowed");
        if (!double.IsFinite(c.NormEpsilon) || c.NormEpsilon < 0) problems.Add($"the norms' epsilon is {c.NormEpsilon}");
        if (!double.IsFinite(c.RopeTheta) || c.RopeTheta <= 0) problems.Add($"the rotary base is {c.RopeTheta}");
        return problems.Count == 0 ? c : throw new ModelFormatException(path, string.Join("; ", problems));
    }
}
