using System.Text;

namespace Graft.Modeling.Files;

/// <summary>A tensor to be written.</summary>
/// <param name="Shape">Row-major, as torch has it.</param>
/// <param name="Write">Writes the tensor's bytes, exactly <paramref name="Bytes"/>.</param>
internal sealed record GgufOutput(string Name, GgufType Type, IReadOnlyList<long> Shape, long Bytes, Action<Stream> Write);

/// <summary>Writes GGUF files of version 3 (ggml's <c>docs/gguf.md</c>). The same content gives the same bytes.</summary>
internal static class GgufWriter
{
    private const int Alignment = 32;

    /// <summary>Writes and flushes to the disk. It is not atomic: a caller that needs that writes beside and renames.</summary>
    /// <param name="metadata">In this order: uint, int, float, bool, string, string[], int[] or float[].</param>
    /// <exception cref="IOException">The disk is full, or something else of the file system.</exception>
    public static void Write(string path, IReadOnlyList<(string Key, object Value)> metadata, IReadOnlyList<GgufOutput> tensors)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        using var w = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        w.Write("GGUF"u8);
        w.Write(3u);
        w.Write((ulong)tensors.Count);
        w.Write((ulong)metadata.Count);
        foreach (var (key, value) in metadata)
        {
            Text(w, key);
            w.Write(TypeOf(value));
            Value(w, value);
        }
        long at = 0;
        foreach (var tensor in tensors)
        {
            Text(w, tensor.Name);
            w.Write((uint)tensor.Shape.Count);
            foreach (var size in tensor.Shape.Reverse()) w.Write((ulong)size);
            w.Write(tensor.Type.Id);
            w.Write((ulong)at);
            at += Aligned(tensor.Bytes);
        }
        w.Flush();
        Pad(stream);
        foreach (var tensor in tensors)
        {
            var start = stream.Position;
            tensor.Write(stream);
            if (stream.Position - start != tensor.Bytes)
                throw new InvalidOperationException($"'{tensor.Name}' wrote {stream.Position - start} bytes instead of {tensor.Bytes}.");
            Pad(stream);
        }
        stream.Flush(flushToDisk: true);
    }

    private static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    private static void Pad(Stream stream) => stream.Write(new byte[Aligned(stream.Position) - stream.Position]);

    private static void Text(BinaryWriter w, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        w.Write((ulong)bytes.Length);
        w.Write(bytes);
    }

    private static uint TypeOf(object value) => value switch
    {
        uint => 4,
        int => 5,
        float => 6,
        bool => 7,
        string => 8,
        Array => 9,
        _ => throw new ArgumentException($"GGUF metadata of the type {value.GetType()}", nameof(value)),
    };

    private static void Value(BinaryWriter w, object value)
    {
        switch (value)
        {
            case uint v: w.Write(v); break;
            case int v: w.Write(v); break;
            case float v: w.Write(v); break;
            case bool v: w.Write(v); break;
            case string v: Text(w, v); break;
            case string[] v: List(w, v, 8, Text); break;
            case int[] v: List(w, v, 5, (b, i) => b.Write(i)); break;
            case float[] v: List(w, v, 6, (b, f) => b.Write(f)); break;
            default: throw new ArgumentException($"GGUF metadata of the type {value.GetType()}", nameof(value));
        }
    }

    private static void List<T>(BinaryWriter w, T[] values, uint type, Action<BinaryWriter, T> write)
    {
        w.Write(type);
        w.Write((ulong)values.Length);
        foreach (var value in values) write(w, value);
    }
}
