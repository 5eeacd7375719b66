using System.Text.Json.Nodes;

namespace Graft.Modeling.Models;

/// <summary>A GGUF file's metadata as Hugging Face's <c>config.json</c> says the same.</summary>
internal static class GgufConfig
{
    private static readonly string[] Supported = ["llama"];

    /// <exception cref="ModelFormatException">A value is missing, or one is set that is not implemented.</exception>
    public static JsonObject ToHuggingFace(GgufFile file)
    {
        var type = file.Text("general.architecture") ?? "";
        if (!Supported.Contains(type))
            throw new ModelFormatException(file.Path, $"its architecture is '{type}'; supported: {string.Join(", ", Supported)}");
        int Needed(string key) =>
            file.Number($"{type}.{key}")
            ?? throw new ModelFormatException(file.Path, $"lacks the metadata value '{type}.{key}'");
        int hidden = Needed("embedding_length"), heads = Needed("attention.head_count");
        if (heads < 1 || hidden < 1) throw new ModelFormatException(file.Path, $"has {heads} attention heads over a hidden size of {hidden}");
        var headSize = file.Number($"{type}.attention.key_length") ?? hidden / heads;
        RefuseOptions(file, type, headSize);
        if (!file.Tensors.TryGetValue("token_embd.weight", out var embedding))
            throw new ModelFormatException(file.Path, "lacks the tensor 'token_embd.weight'");
        double Number(string key, double otherwise) =>
            (file.Fraction($"{type}.{key}") ?? otherwise) is var value && double.IsFinite(value) ? value
            : throw new ModelFormatException(file.Path, $"its metadata value '{type}.{key}' is {value}");
        var theta = Number("rope.freq_base", 10_000);
        var rope = GgufRope.Parameters(file, type, theta, headSize, Needed("context_length"));
        return new JsonObject
        {
            ["architectures"] = new JsonArray("LlamaForCausalLM"),
            ["attention_bias"] = false,
            ["bos_token_id"] = file.Number("tokenizer.ggml.bos_token_id"),
            ["eos_token_id"] = file.Number("tokenizer.ggml.eos_token_id"),
            ["head_dim"] = headSize,
            ["hidden_act"] = "silu",
            ["hidden_size"] = hidden,
            ["intermediate_size"] = Needed("feed_forward_length"),
            ["max_position_embeddings"] = Needed("context_length"),
            ["mlp_bias"] = false,
            ["model_type"] = type,
            ["num_attention_heads"] = heads,
            ["num_hidden_layers"] = Needed("block_count"),
            ["num_key_value_heads"] = file.Number($"{type}.attention.head_count_kv") ?? heads,
            ["pad_token_id"] = file.Number("tokenizer.ggml.padding_token_id"),
            ["rms_norm_eps"] = Number("attention.layer_norm_rms_epsilon", 1e-5),
            // Both spellings, for readers before and since transformers 5.
            ["rope_parameters"] = rope,
            ["rope_scaling"] = (string?)rope["rope_type"] == "default" ? null : rope.DeepClone(),
            ["rope_theta"] = theta,
            ["tie_word_embeddings"] = !file.Tensors.ContainsKey("output.weight"),
            ["vocab_size"] = (int)Math.Min(int.MaxValue, embedding.Shape[0]),
        };
    }

    private static void RefuseOptions(GgufFile file, string type, int headSize)
    {
        void Refuse(string key, string value) => throw new ModelFormatException(file.Path, $"'{key}' is {value}, which is not supported");
        foreach (var key in new[] { "rope.dimension_count", "attention.value_length" })
            if (file.Number($"{type}.{key}") is { } size && size != headSize) Refuse($"{type}.{key}", $"{size}");
        foreach (var key in new[] { "expert_count", "attention.sliding_window" })
            if (file.Number($"{type}.{key}") is { } number and not 0) Refuse($"{type}.{key}", $"{number}");
    }
}
