using Graft.Contract;

namespace Graft.Modeling.Adapters;

/// <summary>Which layers IA3 scales where nobody says it, by architecture.</summary>
internal static class Ia3Defaults
{
    private static readonly Ia3Targets Keys = new(["k_proj", "v_proj", "down_proj"], ["down_proj"]);

    // PEFT scales queries where the paper scales keys; its files are what must be compatible.
    private static readonly Ia3Targets Queries = new(["q_proj", "v_proj", "down_proj"], ["down_proj"]);

    private static readonly Ia3Targets Encoders = new(["key", "value", "output.dense"], ["output.dense"]);

    /// <summary>
    /// As PEFT 0.20 has them (its constants.py), which names none for Phi-3: there it is keys, values and the feed-forward again.
    /// </summary>
    private static readonly Dictionary<string, Ia3Targets> Known = new(StringComparer.Ordinal)
    {
        ["llama"] = Keys, ["mistral"] = Keys,
        ["qwen2"] = Queries, ["qwen3"] = Queries, ["gemma2"] = Queries, ["gemma3_text"] = Queries,
        ["phi3"] = new(["qkv_proj", "down_proj"], ["down_proj"]),
        ["gpt2"] = new(["c_attn", "mlp.c_proj"], ["mlp.c_proj"]),
        ["bert"] = Encoders, ["roberta"] = Encoders,
    };

    public static Ia3Targets? Of(string modelType) => Known.GetValueOrDefault(modelType);
}
