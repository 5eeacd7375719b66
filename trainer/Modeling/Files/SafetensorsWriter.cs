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
    public static void Write(string path, IEnumerable<(string Name, Tensor Tensor)> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var sorted = tensors
            .Select(t => (t.Name, t.Tensor, Dtype: NameOf(t.Tensor.dtype)))
            .OrderByDescending(t => SafetensorsHeader.Dtypes[t.Dtype].Bytes).ThenBy(t => t.Name, StringComparer.Ordinal).ToList();
        var header = Header(sorted, metadata ?? new Dictionary<string, string> { ["format"] = "pt" });
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var (_, tensor, _) in sorted) WriteBytes(stream, tensor);
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Torch's element type as safetensors names it.</summary>
    public static string NameOf(ScalarType type) =>
        SafetensorsHeader.Dtypes.FirstOrDefault(d => d.Value.Type == type).Key
        ?? throw new ArgumentException($"safetensors has no name for {type}", nameof(type));

    private static byte[] Header(List<(string Name, Tensor Tensor, string Dtype)> tensors, IReadOnlyDictionary<string, string> metadata)
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
            foreach (var (name, tensor, dtype) in tensors)
            {
                var bytes = tensor.numel() * SafetensorsHeader.Dtypes[dtype].Bytes;
                json.WriteStartObject(name);
                json.WriteString("dtype", dtype);
                json.WriteStartArray("shape");
                foreach (var size in tensor.shape) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                json.WriteNumberValue(at += bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.Length % 8 != 0) buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }

    private static unsafe void WriteBytes(FileStream stream, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        using var plain = tensor.detach().cpu().contiguous();
        var left = plain.numel() * plain.element_size();
        for (var at = (byte*)Aten.DataPointer(plain); left > 0;)
        {
            var length = (int)Math.Min(left, ChunkBytes);
            stream.Write(new ReadOnlySpan<byte>(at, length));
            at += length;
            left -= length;
        }
    }
}
