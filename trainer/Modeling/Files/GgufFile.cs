using Graft.Modeling.Files;

namespace Graft.Modeling;

/// <param name="Shape">Row-major, as torch has it (the file lists the innermost size first).</param>
/// <param name="Offset">From the start of the file, in bytes.</param>
internal sealed record GgufTensor(string Name, GgufType Type, IReadOnlyList<long> Shape, long Offset, long Bytes)
{
    /// <summary>Elements of the innermost dimension.</summary>
    public long RowElements => Shape[^1];
    public long Rows => Shape.SkipLast(1).Aggregate(1L, (a, b) => a * b);
    public long RowBytes => RowElements / Type.BlockElements * Type.BlockBytes;

    /// <exception cref="ModelFormatException">The type is one that nothing here reads.</exception>
    public Dequantize Widener(string path) => Type.Widen
        ?? throw new ModelFormatException(path, $"the tensor '{Name}' has the type {Type.Name}, which is not supported");
}

/// <summary>A GGUF file, version 2 or 3 (ggml's <c>docs/gguf.md</c>), mapped: metadata and where its tensors lie.</summary>
public sealed class GgufFile : IDisposable
{
    private const uint Magic = 0x46554747;
    private const int MaxRank = 4;
    private readonly MappedFile file;
    private readonly Dictionary<string, object> metadata = new(StringComparer.Ordinal);
    private readonly Dictionary<string, GgufTensor> tensors = new(StringComparer.Ordinal);

    private GgufFile(MappedFile file)
    {
        this.file = file;
        var cursor = new GgufCursor(file);
        if (file.Length < 24 || cursor.U32("its magic number") != Magic) throw cursor.Bad("is no GGUF file: it does not begin with 'GGUF'");
        var version = cursor.U32("its version");
        if (version is not (2 or 3)) throw cursor.Bad($"is GGUF of version {version}; versions 2 and 3 are supported");
        var tensorCount = cursor.Count(24, "tensors");
        var keys = cursor.Count(13, "metadata values");
        for (var i = 0; i < keys; i++)
        {
            var key = cursor.Text($"the name of metadata value {i}");
            if (!metadata.TryAdd(key, cursor.Value(cursor.U32(key), key))) throw cursor.Bad($"it has the metadata value '{key}' twice");
        }
        ReadTensors(cursor, tensorCount);
    }

    /// <exception cref="ModelFormatException">The file cannot be read, or breaks a rule of the format.</exception>
    public static GgufFile Open(string path)
    {
        var file = new MappedFile(path);
        try
        {
            return new GgufFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public string Path => file.Path;

    /// <summary>Values are long, ulong, double, bool, string, or arrays of one of these; of nested arrays object[].</summary>
    public IReadOnlyDictionary<string, object> Metadata => metadata;

    internal IReadOnlyDictionary<string, GgufTensor> Tensors => tensors;

    internal unsafe byte* Address(GgufTensor tensor) => file.Start + tensor.Offset;

    public string? Text(string key) => Get<string>(key);
    public bool? Flag(string key) => metadata.ContainsKey(key) ? Get<object>(key) as bool? ?? throw Wrong(key, "true or false") : null;
    public string[]? Texts(string key) => Get<string[]>(key);

    /// <exception cref="ModelFormatException">The value is there and is no number of this kind.</exception>
    public int? Number(string key) => metadata.GetValueOrDefault(key) switch
    {
        null => null,
        long n when n is >= int.MinValue and <= int.MaxValue => (int)n,
        ulong n when n <= int.MaxValue => (int)n,
        _ => throw Wrong(key, "a whole number"),
    };

    /// <exception cref="ModelFormatException">The value is there and is no number.</exception>
    public double? Fraction(string key) => metadata.GetValueOrDefault(key) switch
    {
        null => null,
        double n => n,
        long n => n,
        _ => throw Wrong(key, "a number"),
    };

    public int[]? Numbers(string key) => metadata.GetValueOrDefault(key) switch
    {
        null => null,
        Array { Length: 0 } => [],
        long[] values when values.All(n => n is >= int.MinValue and <= int.MaxValue) => [.. values.Select(n => (int)n)],
        _ => throw Wrong(key, "a list of whole numbers"),
    };

    public void Dispose() => file.Dispose();

    private T? Get<T>(string key) where T : class => metadata.GetValueOrDefault(key) switch
    {
        null => null,
        T value => value,
        Array { Length: 0 } when typeof(T).IsArray => (T)(object)Array.CreateInstance(typeof(T).GetElementType()!, 0),
        _ => throw Wrong(key, typeof(T) == typeof(string) ? "a text" : "a list"),
    };

    private ModelFormatException Wrong(string key, string wanted) => new(Path, $"its metadata value '{key}' is not {wanted}");

    private void ReadTensors(GgufCursor cursor, int count)
    {
        var entries = new List<(string Name, uint Type, long[] Shape, ulong Offset)>(count);
        for (var i = 0; i < count; i++)
        {
            var name = cursor.Text($"the name of tensor {i}");
            var rank = cursor.U32($"the rank of '{name}'");
            if (rank is 0 or > MaxRank) throw cursor.Bad($"the tensor '{name}' has {rank} dimensions; 1 to {MaxRank} are allowed");
            var shape = new long[rank];
            for (var d = (int)rank - 1; d >= 0; d--)
            {
                var size = cursor.U64($"the shape of '{name}'");
                if (size is 0 or > long.MaxValue) throw cursor.Bad($"the tensor '{name}' has a dimension of size {size}");
                shape[d] = (long)size;
            }
            entries.Add((name, cursor.U32($"the type of '{name}'"), shape, cursor.U64($"the offset of '{name}'")));
        }
        var alignment = Number("general.alignment") ?? 32;
        if (alignment is < 1 or > 1 << 20 || (alignment & (alignment - 1)) != 0)
            throw cursor.Bad($"its alignment of {alignment} is no power of two up to {1 << 20}");
        var dataStart = (cursor.Position + alignment - 1) / alignment * alignment;
        foreach (var (name, type, shape, offset) in entries)
        {
            var tensor = Place(name, type, shape, offset, alignment, dataStart, cursor);
            if (!tensors.TryAdd(name, tensor)) throw cursor.Bad($"it names the tensor '{name}' twice");
        }
        CheckOverlaps(cursor);
    }

    private GgufTensor Place(string name, uint typeId, long[] shape, ulong offset, int alignment, long dataStart, GgufCursor cursor)
    {
        if (!GgufType.All.TryGetValue(typeId, out var type)) throw cursor.Bad($"the tensor '{name}' has the unknown type {typeId}");
        if (shape[^1] % type.BlockElements != 0)
            throw cursor.Bad($"the rows of the tensor '{name}' have {shape[^1]} elements, no multiple of the {type.BlockElements} of a {type.Name} block");
        var shapeText = string.Join(", ", shape);
        Int128 elements = 1;
        foreach (var size in shape)
        {
            elements *= size;
            if (elements > long.MaxValue / 8) throw cursor.Bad($"the shape [{shapeText}] of the tensor '{name}' is absurdly large");
        }
        var bytes = elements / type.BlockElements * type.BlockBytes;
        if (offset % (ulong)alignment != 0) throw cursor.Bad($"the tensor '{name}' lies at {offset}, no multiple of the alignment {alignment}");
        if (offset + (UInt128)bytes > (UInt128)Math.Max(0, file.Length - dataStart))
            throw cursor.Bad($"the tensor '{name}' of shape [{shapeText}] and type {type.Name} ends past the end of the file; the file is cut short");
        return new GgufTensor(name, type, shape, dataStart + (long)offset, (long)bytes);
    }

    private void CheckOverlaps(GgufCursor cursor)
    {
        GgufTensor? previous = null;
        foreach (var tensor in tensors.Values.OrderBy(t => t.Offset))
        {
            if (previous is not null && previous.Offset + previous.Bytes > tensor.Offset)
                throw cursor.Bad($"the tensors '{previous.Name}' and '{tensor.Name}' overlap");
            previous = tensor;
        }
    }
}
