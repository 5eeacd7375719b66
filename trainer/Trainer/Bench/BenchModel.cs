using Graft.Trainer.Tokenizers;

namespace Graft.Trainer.Bench;

/// <summary>The model that is measured: a configuration and a tokenizer, the weights are drawn.</summary>
internal static class BenchModel
{
    public const int RopeTheta = 10_000;

    public static void Write(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), $$"""
            {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 32000, "hidden_size": 512,
             "intermediate_size": 1376, "num_hidden_layers": 8, "num_attention_heads": 8, "num_key_value_heads": 8, "max_position_embeddings": 2048,
             "rms_norm_eps": 1e-5, "rope_theta": {{RopeTheta}}, "tie_word_embeddings": false, "hidden_act": "silu", "eos_token_id": 0}
            """);
        // Bytes alone; the other ids of the vocabulary say nothing.
        TokenizerFile.Write(Path.Combine(folder, "tokenizer.json"), BytePairTrainer.Train([], 256), ["<|endoftext|>"]);
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """{"eos_token": "<|endoftext|>"}""");
    }
}
