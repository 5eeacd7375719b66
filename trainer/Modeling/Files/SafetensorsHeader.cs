using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;
using static TorchSharp.torch;

namespace Graft.Modeling.Files;

/// <param name="Dtype">As safetensors names it (<c>F32</c>).</param>
/// <param name="Offset">From the start of the file, in bytes.</param>
public sealed record TensorInfo(string Name, string Dtype, IReadOnlyList<long> Shape, long Offset, long Bytes);

/// <summary>
/// The header of a safetensors file: eight bytes of length, then JSON, then the tensors' bytes without gaps. The rules are
/// those of the format's reference implementation; a file that breaks one is refused, with a message of its own for each.
/// </summary>
internal static class SafetensorsHeader
{
    /// <summary>The reference implementation's limit.</summary>
    public const long MaxHeaderBytes = 100_000_000;
    private const int MaxRank = 16;

    /// <summary>Bits of an element, and torch's type for it where there is one.</summary>
    internal static readonly Dictionary<string, (int Bytes, ScalarType? Type)> Dtypes = new(StringComparer.Ordinal)
    {
        ["BOOL"] = (1, ScalarType.Bool), ["U8"] = (1, ScalarType.Byte), ["I8"] = (1, ScalarType.Int8),
        ["F8_E4M3"] = (1, null), ["F8_E5M2"] = (1, null),
        ["I16"] = (2, ScalarType.Int16), ["U16"] = (2, null), ["F16"] = (2, ScalarType.Float16), ["BF16"] = (2, ScalarType.BFloat16),
        ["I32"] = (4, ScalarType.Int32), ["U32"] = (4, null), ["F32"] = (4, ScalarType.Float32),
        ["I64"] = (8, ScalarType.Int64), ["U64"] = (8, null), ["F64"] = (8, ScalarType.Float64),
    };

    public static (Dictionary<string, TensorInfo> Tensors, Dictionary<string, string> Metadata) Read(MappedFile file)
    {
        ModelFormatException Bad(string problem) => new(file.Path, problem);
        if (file.Length < 8) throw Bad($"is no safetensors file: it has {file.Length} bytes, fewer than its header's length needs");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(file.Slice(0, 8));
        if (length > MaxHeaderBytes) throw Bad($"its header says it is {length} bytes long; at most {MaxHeaderBytes} are allowed");
        if ((long)length > file.Length - 8)
            throw Bad($"its header says it is {length} bytes long, but only {file.Length - 8} follow; the file is cut short");
        var json = file.Slice(8, (int)length);
        if (!Utf8.IsValid(json)) throw Bad("its header is not UTF-8");
        if (json.Length == 0 || json[0] != '{') throw Bad("its header does not begin with '{'");
        try
        {
            var (tensors, metadata) = ReadEntries(json, 8 + (long)length, file.Length, Bad);
            CheckLayout(tensors.Values, 8 + (long)length, file.Length, Bad);
            return (tensors, metadata);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new ModelFormatException(file.Path, $"its header is not the JSON that safetensors prescribes: {e.Message}", e);
        }
    }

    private static (Dictionary<string, TensorInfo>, Dictionary<string, string>) ReadEntries(
        ReadOnlySpan<byte> json, long dataStart, long fileLength, Func<string, ModelFormatException> bad)
    {
        var tensors = new Dictionary<string, TensorInfo>(StringComparer.Ordinal);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (!seen.Add(name)) throw bad($"it names the tensor '{name}' twice");
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject) throw bad($"the entry of '{name}' is no object");
            if (name == "__metadata__") ReadMetadata(ref reader, metadata);
            else tensors.Add(name, ReadTensor(ref reader, name, dataStart, fileLength, bad));
        }
        while (reader.Read())
        {
        }
        return (tensors, metadata);
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, Dictionary<string, string> metadata)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            metadata[key] = reader.GetString() ?? "";
        }
    }

    private static TensorInfo ReadTensor(
        ref Utf8JsonReader reader, string name, long dataStart, long fileLength, Func<string, ModelFormatException> bad)
    {
        string? dtype = null;
        List<long>? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.GetString()!;
            reader.Read();
            switch (field)
            {
                case "dtype": dtype = reader.GetString(); break;
                case "shape": shape = ReadNumbers(ref reader, name, "shape", MaxRank, bad); break;
                case "data_offsets": offsets = ReadNumbers(ref reader, name, "data_offsets", 2, bad); break;
                default: throw bad($"the tensor '{name}' has an unknown field '{field}'");
            }
        }
        if (dtype is null || shape is null || offsets is not { Count: 2 }) throw bad($"the tensor '{name}' lacks dtype, shape or data_offsets");
        if (!Dtypes.TryGetValue(dtype, out var type)) throw bad($"the tensor '{name}' has the unknown dtype '{dtype}'");
        var (begin, end) = (offsets[0], offsets[1]);
        if (begin > end) throw bad($"the tensor '{name}' ends ({end}) before it begins ({begin})");
        if (end > fileLength - dataStart)
            throw bad($"the tensor '{name}' ends at byte {end} of the data, but there are only {fileLength - dataStart}; the file is cut short");
        Int128 bytes = type.Bytes;
        foreach (var size in shape)
        {
            bytes *= size;
            if (bytes > long.MaxValue) throw bad($"the shape [{string.Join(", ", shape)}] of the tensor '{name}' is absurdly large");
        }
        if (bytes != end - begin)
            throw bad($"the tensor '{name}' of shape [{string.Join(", ", shape)}] and dtype {dtype} needs {bytes} bytes, but has {end - begin}");
        return new TensorInfo(name, dtype, shape, dataStart + begin, end - begin);
    }

    private static List<long> ReadNumbers(
        ref Utf8JsonReader reader, string name, string field, int most, Func<string, ModelFormatException> bad)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw bad($"{field} of the tensor '{name}' is no list");
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
                throw bad($"{field} of the tensor '{name}' holds something that is no count");
            numbers.Add(number);
            if (numbers.Count > most) throw bad($"{field} of the tensor '{name}' has more than {most} numbers");
        }
        return numbers;
    }

    /// <summary>Tensors lie one after another: a byte that two share, or that none has, could hide something.</summary>
    private static void CheckLayout(IEnumerable<TensorInfo> tensors, long dataStart, long fileLength, Func<string, ModelFormatException> bad)
    {
        var at = dataStart;
        TensorInfo? previous = null;
        foreach (var tensor in tensors.OrderBy(t => t.Offset).ThenBy(t => t.Bytes))
        {
            if (tensor.Offset < at) throw bad($"the tensors '{previous?.Name}' and '{tensor.Name}' overlap");
            if (tensor.Offset > at) throw bad($"{tensor.Offset - at} bytes before the tensor '{tensor.Name}' belong to no tensor");
            at = tensor.Offset + tensor.Bytes;
            previous = tensor;
        }
        if (at != fileLength) throw bad($"{fileLength - at} bytes at its end belong to no tensor");
    }
}
