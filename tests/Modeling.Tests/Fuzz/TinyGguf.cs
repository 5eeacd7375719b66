using System.Text;

namespace Graft.Modeling.Tests.Fuzz;

/// <summary>The smallest GGUF files that are whole: models of one layer, and a LoRA for them.</summary>
internal static class TinyGguf
{
    private const int U32 = 4, F32 = 6, Text = 8, List = 9, I32 = 5, Alignment = 32;
    private const int Width = 32, Inner = 256, Rank = 2;

    /// <summary>Bytes and elements of a block, by the number of the type.</summary>
    private static readonly Dictionary<int, (int Bytes, int Elements)> Types = new()
    {
        [0] = (4, 1), [1] = (2, 1), [2] = (18, 32), [3] = (20, 32), [6] = (22, 32), [7] = (24, 32), [8] = (34, 32),
        [12] = (144, 256), [13] = (176, 256), [14] = (210, 256), [30] = (2, 1),
    };

    /// <summary>A model with bytes as tokens, or with a vocabulary of SentencePiece.</summary>
    /// <param name="types">Numbers of the types of matrices, taken in turns, and of the one whose rows are 256 long.</param>
    public static byte[] Model(bool sentencePiece, int[] types, int wide)
    {
        var (vocabulary, tokens) = sentencePiece ? SentencePiece() : ByteLevel();
        var metadata = new List<(string Key, Action<BinaryWriter> Value)>
        {
            ("general.architecture", w => Write(w, Text, () => Put(w, "llama"))),
            ("llama.embedding_length", Number(Width)), ("llama.block_count", Number(1)), ("llama.feed_forward_length", Number(Inner)),
            ("llama.attention.head_count", Number(2)), ("llama.attention.head_count_kv", Number(1)), ("llama.context_length", Number(32)),
            ("llama.attention.layer_norm_rms_epsilon", Float(1e-5f)), ("llama.rope.freq_base", Float(10_000f)),
            ("tokenizer.chat_template", w => Write(w, Text, () => Put(w, "{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}"))),
        };
        metadata.AddRange(vocabulary);
        (string Name, long[] Shape)[] matrices =
        [
            ("token_embd.weight", [Width, tokens]),
            ("blk.0.attn_q.weight", [Width, Width]), ("blk.0.attn_k.weight", [Width, Width / 2]),
            ("blk.0.attn_v.weight", [Width, Width / 2]), ("blk.0.attn_output.weight", [Width, Width]),
            ("blk.0.ffn_gate.weight", [Width, Inner]), ("blk.0.ffn_up.weight", [Width, Inner]),
        ];
        return File(metadata,
        [
            ("output_norm.weight", [Width], 0), ("blk.0.attn_norm.weight", [Width], 0), ("blk.0.ffn_norm.weight", [Width], 0),
            .. matrices.Select((m, i) => (m.Name, m.Shape, types[i % types.Length])), ("blk.0.ffn_down.weight", [Inner, Width], wide),
        ]);
    }

    /// <summary>An adapter of rank 2 for the query and the feed-forward network.</summary>
    public static byte[] Lora() => File(
    [
        ("general.type", w => Write(w, Text, () => Put(w, "adapter"))),
        ("general.architecture", w => Write(w, Text, () => Put(w, "llama"))),
        ("adapter.type", w => Write(w, Text, () => Put(w, "lora"))), ("adapter.lora.alpha", Float(4)),
    ],
    [
        ("blk.0.attn_q.weight.lora_a", [Width, Rank], 0), ("blk.0.attn_q.weight.lora_b", [Rank, Width], 0),
        ("blk.0.ffn_down.weight.lora_a", [Inner, Rank], 1), ("blk.0.ffn_down.weight.lora_b", [Rank, Width], 1),
    ]);

    private static (List<(string Key, Action<BinaryWriter> Value)>, int Tokens) ByteLevel()
    {
        var tokens = Enumerable.Range('!', 94).Select(c => ((char)c).ToString()).Append("Ġ").Append("ab").Append("<|im_end|>").ToArray();
        return (
        [
            ("tokenizer.ggml.model", w => Write(w, Text, () => Put(w, "gpt2"))),
            ("tokenizer.ggml.pre", w => Write(w, Text, () => Put(w, "gpt-2"))),
            ("tokenizer.ggml.tokens", w => Items(w, Text, tokens, t => Put(w, t))),
            ("tokenizer.ggml.merges", w => Items(w, Text, new[] { "a b" }, t => Put(w, t))),
            ("tokenizer.ggml.token_type", w =>
                Items(w, I32, tokens.Select(t => t.StartsWith("<|", StringComparison.Ordinal) ? 3 : 1).ToArray(), w.Write)),
            ("tokenizer.ggml.eos_token_id", Number((uint)tokens.Length - 1)),
        ], tokens.Length);
    }

    private static (List<(string Key, Action<BinaryWriter> Value)>, int Tokens) SentencePiece()
    {
        string[] pieces = ["▁", "a", "b", "c", "ab", "▁ab"];
        string[] tokens = ["<unk>", "<s>", "</s>", .. Enumerable.Range(0, 256).Select(b => $"<0x{b:X2}>"), .. pieces];
        return (
        [
            ("tokenizer.ggml.model", w => Write(w, Text, () => Put(w, "llama"))),
            ("tokenizer.ggml.bos_token_id", Number(1)), ("tokenizer.ggml.eos_token_id", Number(2)),
            ("tokenizer.ggml.unknown_token_id", Number(0)),
            ("tokenizer.ggml.tokens", w => Items(w, Text, tokens, t => Put(w, t))),
            ("tokenizer.ggml.scores", w => Items(w, F32, tokens.Select((_, i) => i < 259 ? 0f : 258f - i).ToArray(), w.Write)),
            ("tokenizer.ggml.token_type", w =>
                Items(w, I32, tokens.Select((_, i) => i == 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1).ToArray(), w.Write)),
        ], tokens.Length);
    }

    private static byte[] File(
        List<(string Key, Action<BinaryWriter> Value)> metadata, IReadOnlyList<(string Name, long[] Shape, int Type)> tensors)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)tensors.Count);
        writer.Write((ulong)metadata.Count);
        foreach (var (key, value) in metadata)
        {
            Put(writer, key);
            value(writer);
        }
        var offset = 0L;
        foreach (var (name, shape, type) in tensors)
        {
            Put(writer, name);
            writer.Write((uint)shape.Length);
            foreach (var size in shape) writer.Write((ulong)size);
            writer.Write((uint)type);
            writer.Write((ulong)offset);
            offset = Aligned(offset + Size(shape, type));
        }
        foreach (var (_, shape, type) in tensors)
        {
            while (stream.Position < Aligned(stream.Position)) writer.Write((byte)0);
            // Bytes that are small finite numbers whatever they are read as.
            if (type == 0) for (var e = 0; e < Size(shape, type) / 4; e++) writer.Write(0.01f * (e % 17));
            else for (var e = 0; e < Size(shape, type); e++) writer.Write((byte)(e * 7 % 23));
        }
        return stream.ToArray();
    }

    private static Action<BinaryWriter> Number(uint value) => w => Write(w, U32, () => w.Write(value));

    private static Action<BinaryWriter> Float(float value) => w => Write(w, F32, () => w.Write(value));

    private static long Size(long[] shape, int type) => shape.Aggregate(1L, (a, b) => a * b) / Types[type].Elements * Types[type].Bytes;

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
