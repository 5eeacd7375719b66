using Graft.Modeling.Files;

namespace Graft.Modeling.Models;

/// <summary>
/// The architectures that GGUF files are read and written of. Names are those of llama.cpp's <c>gguf-py/gguf/constants.py</c> and
/// <c>tensor_mapping.py</c>, values that a file need not say those of its <c>src/models</c>. A new one is a row.
/// </summary>
internal static class GgufArchitectures
{
    public const string RopeFactors = "rope_freqs.weight";
    public const string LongFactors = "rope_factors_long.weight", ShortFactors = "rope_factors_short.weight";

    private static readonly Dictionary<string, string> Outside = new(StringComparer.Ordinal)
    {
        ["token_embd"] = "model.embed_tokens", ["output_norm"] = "model.norm", ["output"] = "lm_head",
    };

    private static readonly Dictionary<string, string> Attention = new(StringComparer.Ordinal)
    {
        ["attn_norm"] = "input_layernorm", ["attn_q"] = "self_attn.q_proj", ["attn_k"] = "self_attn.k_proj",
        ["attn_v"] = "self_attn.v_proj", ["attn_output"] = "self_attn.o_proj",
    };

    private static readonly Dictionary<string, string> FeedForward = new(StringComparer.Ordinal)
    {
        ["ffn_gate"] = "mlp.gate_proj", ["ffn_up"] = "mlp.up_proj", ["ffn_down"] = "mlp.down_proj",
    };

    private static readonly Dictionary<string, string> PreNorm = new(StringComparer.Ordinal) { ["ffn_norm"] = "post_attention_layernorm" };

    private static readonly Dictionary<string, string> HeadNorms = new(StringComparer.Ordinal)
    {
        ["attn_q_norm"] = "self_attn.q_norm", ["attn_k_norm"] = "self_attn.k_norm",
    };

    private static readonly Dictionary<string, string> SandwichNorms = new(StringComparer.Ordinal)
    {
        ["post_attention_norm"] = "post_attention_layernorm", ["ffn_norm"] = "pre_feedforward_layernorm",
        ["post_ffw_norm"] = "post_feedforward_layernorm",
    };

    private static readonly GgufArchitecture[] Table =
    [
        new()
        {
            Name = "llama", ModelType = "llama", Class = "LlamaForCausalLM", Also = ["mistral"],
            WithoutBias = ["attention_bias", "mlp_bias"],
            Tensors = Decoder(Attention, PreNorm, FeedForward) with { Interleaves = true, OfConfiguration = Set(RopeFactors) },
        },
        new()
        {
            Name = "qwen2", ModelType = "qwen2", Class = "Qwen2ForCausalLM",
            Tensors = Decoder(Attention, PreNorm, FeedForward) with { Biased = Set("attn_q", "attn_k", "attn_v") },
        },
        new()
        {
            Name = "qwen3", ModelType = "qwen3", Class = "Qwen3ForCausalLM", WithoutBias = ["attention_bias"],
            Tensors = Decoder(Attention, HeadNorms, PreNorm, FeedForward),
        },
        new()
        {
            Name = "gemma2", ModelType = "gemma2", Class = "Gemma2ForCausalLM", WithoutBias = ["attention_bias"],
            Activation = ("hidden_activation", "gelu_pytorch_tanh"), HasHead = false,
            Windows = GgufWindows.Pattern, Period = 2, Window = 4096, ScoreCap = 50, CapsLogits = true, LogitCap = 30,
            LayersScaledByHidden = 46,
            Tensors = Decoder(Attention, SandwichNorms, FeedForward) with { AddsOneToNorms = true },
        },
        new()
        {
            Name = "gemma3", ModelType = "gemma3_text", Class = "Gemma3ForCausalLM", WithoutBias = ["attention_bias"],
            Activation = ("hidden_activation", "gelu_pytorch_tanh"), HasHead = false,
            Windows = GgufWindows.Pattern, Period = 6, CapsLogits = true, LayersScaledByHidden = 62, HasLocalBase = true,
            Tensors = Decoder(Attention, HeadNorms, SandwichNorms, FeedForward) with { AddsOneToNorms = true },
        },
        new()
        {
            Name = "phi3", ModelType = "phi3", Class = "Phi3ForCausalLM", Windows = GgufWindows.Every, RotatesPart = true,
            Tensors = Decoder(
                new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["attn_norm"] = "input_layernorm", ["attn_qkv"] = "self_attn.qkv_proj", ["attn_output"] = "self_attn.o_proj",
                    ["ffn_up"] = "mlp.gate_up_proj", ["ffn_down"] = "mlp.down_proj",
                },
                PreNorm) with { OfConfiguration = Set(LongFactors, ShortFactors) },
        },
        new()
        {
            Name = "gpt2", ModelType = "gpt2", Class = "GPT2LMHeadModel", Epsilon = "attention.layer_norm_epsilon", Rotates = false,
            Activation = ("activation_function", "gelu_new"), Fields = Gpt2.Names,
            Tensors = new GgufNames(
                "transformer.h.",
                new(StringComparer.Ordinal)
                {
                    ["token_embd"] = "transformer.wte", ["position_embd"] = "transformer.wpe", ["output_norm"] = "transformer.ln_f",
                    ["output"] = "lm_head",
                },
                new(StringComparer.Ordinal)
                {
                    ["attn_norm"] = "ln_1", ["attn_qkv"] = "attn.c_attn", ["attn_output"] = "attn.c_proj",
                    ["ffn_norm"] = "ln_2", ["ffn_up"] = "mlp.c_fc", ["ffn_down"] = "mlp.c_proj",
                })
            {
                Turned = ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"],
                Biased = Set("output_norm", "attn_norm", "attn_qkv", "attn_output", "ffn_norm", "ffn_up", "ffn_down"),
            },
        },
    ];

    public static IEnumerable<string> Names => Table.Select(a => a.Name);
    public static IEnumerable<string> ModelTypes => Table.SelectMany(a => a.Also.Prepend(a.ModelType));

    /// <summary>By <c>general.architecture</c>, or null.</summary>
    public static GgufArchitecture? Named(string name) => Array.Find(Table, a => a.Name == name);

    /// <summary>What a model of that type is written as, or null.</summary>
    public static GgufArchitecture? Of(string modelType) => Array.Find(Table, a => a.IsOf(modelType));

    private static HashSet<string> Set(params string[] names) => new(names, StringComparer.Ordinal);

    private static GgufNames Decoder(params Dictionary<string, string>[] blocks) => new(
        "model.layers.", Outside, blocks.SelectMany(b => b).ToDictionary(n => n.Key, n => n.Value, StringComparer.Ordinal));
}
