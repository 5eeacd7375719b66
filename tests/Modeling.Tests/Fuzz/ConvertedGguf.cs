namespace Graft.Modeling.Tests.Fuzz;

/// <summary>Small GGUF files of the other architectures, as Graft itself writes them.</summary>
internal static class ConvertedGguf
{
    /// <summary>Configurations of one layer whose metadata and tensors have all that others than Llama have.</summary>
    public static readonly string[] Configurations =
    [
        """
        {"model_type": "gemma3_text", "hidden_size": 4, "intermediate_size": 6, "num_hidden_layers": 1, "num_attention_heads": 2,
         "num_key_value_heads": 1, "head_dim": 2, "query_pre_attn_scalar": 2, "sliding_window": 4, "sliding_window_pattern": 2,
         "final_logit_softcapping": 9.0, "vocab_size": 4, "max_position_embeddings": 32, "pad_token_id": 0}
        """,
        """
        {"model_type": "phi3", "hidden_size": 8, "intermediate_size": 6, "num_hidden_layers": 1, "num_attention_heads": 2,
         "num_key_value_heads": 1, "vocab_size": 4, "bos_token_id": 0, "eos_token_id": 3, "pad_token_id": 0,
         "max_position_embeddings": 32, "original_max_position_embeddings": 8,
         "rope_scaling": {"type": "longrope", "short_factor": [1.0], "long_factor": [2.0]}, "partial_rotary_factor": 0.5}
        """,
        """
        {"model_type": "gpt2", "n_embd": 4, "n_inner": 6, "n_layer": 1, "n_head": 2, "vocab_size": 4, "n_positions": 8,
         "bos_token_id": 0, "eos_token_id": 3}
        """,
    ];

    /// <summary>A file of such a model, with drawn weights.</summary>
    public static byte[] Make(string under, string config)
    {
        var (folder, weights, target) = (Path.Combine(under, "model"), Path.Combine(under, "weights"), Path.Combine(under, "model.gguf"));
        foreach (var path in new[] { folder, weights }) Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(folder, "config.json"), config);
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), """
            {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, "decoder": {"type": "ByteLevel"},
             "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 3}, "merges": [["a", "b"]]} }
            """);
        var options = new LoadOptions(Fixtures.Cpu, TorchSharp.torch.ScalarType.Float32, RandomWeights: true, RequireTokenizer: false);
        using (var drawn = BaseModel.Load(folder, options)) ModelWriter.Save(drawn, weights, options.DType);
        File.Move(Path.Combine(weights, "model.safetensors"), Path.Combine(folder, "model.safetensors"));
        ModelConversion.ToGguf(folder, target, "F32");
        var bytes = File.ReadAllBytes(target);
        foreach (var path in new[] { folder, weights }) Directory.Delete(path, recursive: true);
        File.Delete(target);
        return bytes;
    }
}
