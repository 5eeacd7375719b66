using System.Text;

namespace Graft.Modeling.Tests.Fuzz;

/// <summary>The smallest GGUF file that is a whole model: one layer of width 4, and bytes as tokens.</summary>
internal static class TinyGguf
{
    private const int U32 = 4, F32 = 6, Text = 8, List = 9, I32 = 5, Alignment = 32;

    public static byte[] Bytes()
    {
        var tokens = Enumerable.Range('!', 94).Select(c => ((char)c).ToString()).Append("Ġ").Append("ab").Append("<|im_end|>").ToArray();
        var metadata = new List<(string Key, Action<BinaryWriter> Value)>
        {
            ("general.architecture", w => Write(w, Text, () => Put(w, "llama"))),
            ("llama.embedding_length", Number(4)), ("llama.block_count", Number(1)), ("llama.feed_forward_length", Number(6)),
            ("llama.attention.head_count", Number(2)), ("llama.attention.head_count_kv", Number(1)), ("llama.context_length", Number(32)),
            ("llama.attention.layer_norm_rms_epsilon", w => Write(w, F32, () => w.Write(1e-5f))),
            ("llama.rope.freq_base", w => Write(w, F32, () => w.Write(10_000f))),
            ("tokenizer.ggml.model", w => Write(w, Text, () => Put(w, "gpt2"))),
            ("tokenizer.ggml.pre", w => Write(w, Text, () => Put(w, "gpt-2"))),
            ("tokenizer.ggml.tokens", w => Items(w, Text, tokens, t => Put(w, t))),
            ("tokenizer.ggml.merges", w => Items(w, Text, new[] { "a b" }, t => Put(w, t))),
            ("tokenizer.ggml.token_type", w =>
                Items(w, I32, tokens.Select(t => t.StartsWith("<|", StringComparison.Ordinal) ? 3 : 1).ToArray(), w.Write)),
            ("tokenizer.ggml.eos_token_id", Number((uint)tokens.Length - 1)),
            ("tokenizer.chat_template", w => Write(w, Text, () => Put(w, "{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}"))),
        };
        (string Name, long[] Shape)[] tensors =
        [
            ("token_embd.weight", [4, tokens.Length]), ("output_norm.weight", [4]), ("blk.0.attn_norm.weight", [4]),
                ("blk.0.ffn_norm.weight", [4]),
            ("blk.0.attn_q.weight", [4, 4]), ("blk.0.attn_k.weight", [4, 2]), ("blk.0.attn_v.weight", [4, 2]),
                ("blk.0.attn_output.weight", [4, 4]),
            ("blk.0.ffn_gate.weight", [4, 6]), ("blk.0.ffn_up.weight", [4, 6]), ("blk.0.ffn_down.weight", [6, 4]),
        ];
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)tensors.Length);
        writer.Write((ulong)metadata.Count);
        foreach (var (key, value) in metadata)
        {
            Put(writer, key);
            value(writer);
        }
        var offset = 0L;
        foreach (var (name, shape) in tensors)
        {
            Put(writer, name);
            writer.Write((uint)shape.Length);
            foreach (var size in shape) writer.Write((ulong)size);
            writer.Write(0u);
            writer.Write((ulong)offset);
            offset = Aligned(offset + Size(shape));
        }
        var data = Aligned(stream.Position);
        for (var i = 0; i < tensors.Length; i++)
        {
            while (stream.Position < data) writer.Write((byte)0);
            for (var e = 0; e < Size(tensors[i].Shape) / 4; e++) writer.Write(0.01f * (e % 17));
            data = Aligned(stream.Position);
        }
        return stream.ToArray();

        static Action<BinaryWriter> Number(uint value) => w => Write(w, U32, () => w.Write(value));
    }

    /// <summary>Configurations of one layer whose metadata and tensors have all that others than Llama have.</summary>
    public static readonly string[] Others =
    [
        """
        {"model_type": "gemma3_text", "hidden_size": 4, "intermediate_size": 6, "num_hidden_layers": 1, "num_attention_heads": 2,
         "num_key_value_heads": 1, "head_dim": 2, "query_pre_attn_scalar": 2, "sliding_window": 4, "sliding_window_pattern": 2,
         "final_logit_softcapping": 9.0, "vocab_size": 4, "max_position_embeddings": 32, "pad_token_id": 0}
        """,
        """
        {"model_type": "phi3", "hidden_size": 8, "intermediate_size": 6, "num_hidden_layers": 1, "num_attention_heads": 2,
         "num_key_value_heads": 1, "vocab_size": 4, "max_position_embeddings": 32, "original_max_position_embeddings": 8,
         "rope_scaling": {"type": "longrope", "short_factor": [1.0], "long_factor": [2.0]}, "partial_rotary_factor": 0.5}
        """,
        """
        {"model_type": "gpt2", "n_embd": 4, "n_inner": 6, "n_layer": 1, "n_head": 2, "vocab_size": 4, "n_positions": 8}
        """,
    ];

    /// <summary>A file of such a model, with drawn weights.</summary>
    public static byte[] Converted(string under, string config)
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

    private static long Size(long[] shape) => 4 * shape.Aggregate(1L, (a, b) => a * b);

    private static long Aligned(long place) => (place + Alignment - 1) / Alignment * Alignment;

    private static void Write(BinaryWriter writer, int type, Action value)
    {
        writer.Write((uint)type);
        value();
    }

    private static void Items<T>(BinaryWriter writer, int type, IReadOnlyList<T> items, Action<T> write)
    {
        writer.Write((uint)List);
        writer.Write((uint)type);
        writer.Write((ulong)items.Count);
        foreach (var item in items) write(item);
    }

    private static void Put(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }
}
