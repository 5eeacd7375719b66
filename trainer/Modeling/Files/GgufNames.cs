using System.Text.RegularExpressions;

namespace Graft.Modeling.Files;

/// <summary>
/// Tensors of the llama architecture: llama.cpp's names and Hugging Face's, and the order of their rows. llama.cpp stores the rows of query
/// and key projections with the two halves of each head interleaved (its <c>convert_hf_to_gguf.py</c>, <c>permute</c>).
/// </summary>
internal static partial class GgufNames
{
    /// <summary>Factors of rotary frequencies; part of the configuration rather than a weight.</summary>
    public const string RopeFactors = "rope_freqs.weight";

    private static readonly Dictionary<string, string> Outside = new(StringComparer.Ordinal)
    {
        ["token_embd"] = "model.embed_tokens", ["output_norm"] = "model.norm", ["output"] = "lm_head",
    };

    private static readonly Dictionary<string, string> InBlock = new(StringComparer.Ordinal)
    {
        ["attn_norm"] = "input_layernorm", ["ffn_norm"] = "post_attention_layernorm",
        ["attn_q"] = "self_attn.q_proj", ["attn_k"] = "self_attn.k_proj", ["attn_v"] = "self_attn.v_proj",
            ["attn_output"] = "self_attn.o_proj",
        ["ffn_gate"] = "mlp.gate_proj", ["ffn_up"] = "mlp.up_proj", ["ffn_down"] = "mlp.down_proj",
    };

    private static readonly Dictionary<string, string> OutsideBack = Outside.ToDictionary(n => n.Value, n => n.Key, StringComparer.Ordinal);
    private static readonly Dictionary<string, string> InBlockBack = InBlock.ToDictionary(n => n.Value, n => n.Key, StringComparer.Ordinal);

    /// <summary><c>blk.3.attn_q.weight</c> to <c>model.layers.3.self_attn.q_proj.weight</c>; a name that is unknown stays.</summary>
    public static string ToHuggingFace(string name)
    {
        if (Block().Match(name) is { Success: true } block && InBlock.TryGetValue(block.Groups[2].Value, out var inBlock))
            return $"model.layers.{block.Groups[1].Value}.{inBlock}.{block.Groups[3].Value}";
        var dot = name.LastIndexOf('.');
        return dot > 0 && Outside.TryGetValue(name[..dot], out var outside) ? outside + name[dot..] : name;
    }

    /// <summary>The way back, or null for a weight that llama.cpp has no name for.</summary>
    public static string? FromHuggingFace(string name)
    {
        if (Layer().Match(name) is { Success: true } layer && InBlockBack.TryGetValue(layer.Groups[2].Value, out var inBlock))
            return $"blk.{layer.Groups[1].Value}.{inBlock}.{layer.Groups[3].Value}";
        var dot = name.LastIndexOf('.');
        return dot > 0 && OutsideBack.TryGetValue(name[..dot], out var outside) ? outside + name[dot..] : null;
    }

    /// <summary>Where a row of Hugging Face's lies in a file; null: in its place.</summary>
    /// <param name="module">Hugging Face's name of the weight or its module.</param>
    public static Func<long, long>? StoredRow(string module, long rows, ModelConfig config)
    {
        if (Heads(module, config) is not { } heads) return null;
        var (size, half) = (rows / heads, rows / heads / 2);
        return row => row / size * size + row % size % half * 2 + row % size / half;
    }

    /// <summary>Which of Hugging Face's rows lies at a place in a file; null: that of the same number.</summary>
    public static Func<long, long>? RowAt(string module, long rows, ModelConfig config)
    {
        if (Heads(module, config) is not { } heads) return null;
        var (size, half) = (rows / heads, rows / heads / 2);
        return place => place / size * size + place % 2 * half + place % size / 2;
    }

    private static int? Heads(string module, ModelConfig config) =>
        module.EndsWith("self_attn.q_proj.weight", StringComparison.Ordinal)
            || module.EndsWith("self_attn.q_proj", StringComparison.Ordinal) ? config.Heads
        : module.EndsWith("self_attn.k_proj.weight", StringComparison.Ordinal)
            || module.EndsWith("self_attn.k_proj", StringComparison.Ordinal) ? config.KvHeads
        : null;

    [GeneratedRegex(@"^blk\.([0-9]+)\.([a-z_]+)\.(weight|bias)$")]
    private static partial Regex Block();

    [GeneratedRegex(@"^model\.layers\.([0-9]+)\.([a-z_.]+)\.(weight|bias)$")]
    private static partial Regex Layer();
}
