using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using Graft.Modeling.Files;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>
/// Writes safetensors files as the reference implementation does: largest elements first, then by name, the header padded to
/// eight bytes. The same tensors give the same bytes.
/// </summary>
public static class SafetensorsWriter
{
    private const int ChunkBytes = 1 << 24;

    /// <summary>Writes and flushes to the disk. It is not atomic: a caller that needs that writes beside and renames.</summary>
    /// <param name="metadata">
    /// Null: <c>format: pt</c>, as PEFT and transformers write it and ask for it. Empty: the file has none.
    /// </param>
    /// <exception cref="IOException">The disk is full, or something else of the file system.</exception>
    public static void Write(string path, IEnumerable<(string Name, Tensor Tensor)> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        Write(path, tensors.Select(t => new SafetensorsOutput(t.Name, t.Tensor.dtype, t.Tensor.shape, () => t.Tensor)), metadata);

    /// <summary>The same with tensors that are made one at a time.</summary>
    internal static void Write(string path, IEnumerable<SafetensorsOutput> outputs, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var sorted = outputs.OrderByDescending(t => t.ElementBytes).ThenBy(t => t.Name, StringComparer.Ordinal).ToList();
        var header = Header(sorted, metadata ?? new Dictionary<string, string> { ["format"] = "pt" });
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var output in sorted) WriteBytes(stream, output);
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Torch's element type as safetensors names it.</summary>
    public static string NameOf(ScalarType type) =>
        SafetensorsHeader.Dtypes.FirstOrDefault(d => d.Value.Type == type).Key
        ?? throw new ArgumentException($"safetensors has no name for {type}", nameof(type));

    private static byte[] Header(List<SafetensorsOutput> outputs, IReadOnlyDictionary<string, string> metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal)) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long at = 0;
            foreach (var output in outputs)
            {
                json.WriteStartObject(output.Name);
                json.WriteString("dtype", output.Dtype);
                json.WriteStartArray("shape");
                foreach (var size in output.Shape) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                json.WriteNumberValue(at += output.Bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.Length % 8 != 0) buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }

    private static unsafe void WriteBytes(FileStream stream, SafetensorsOutput output)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var plain = output.Make().detach().to_type(output.Type).cpu().contiguous();
        if (!plain.shape.SequenceEqual(output.Shape))
            throw new InvalidOperationException(
                $"'{output.Name}' is [{string.Join(", ", plain.shape)}] instead of [{string.Join(", ", output.Shape)}].");
        var left = output.Bytes;
        for (var at = (byte*)Aten.DataPointer(plain); left > 0;)
        {
            var length = (int)Math.Min(left, ChunkBytes);
            stream.Write(new ReadOnlySpan<byte>(at, length));
            at += length;
            left -= length;
        }
    }
}
