using System.Buffers.Binary;
using System.Text;

namespace Graft.Modeling.Files;

/// <summary>Reads a GGUF header from front to back; every read is checked against the end of the file.</summary>
internal sealed class GgufCursor(MappedFile file)
{
    private const int MaxNesting = 3;

    /// <summary>Of all arrays together; the largest vocabularies have a quarter of a million tokens, with three arrays on them.</summary>
    private const int MostElements = 1 << 23;
    private int elements;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Bytes of a metadata value by its type; 0 for strings and arrays, whose length they carry themselves.</summary>
    private static readonly int[] ValueBytes = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

    public long Position { get; private set; }
    public long Left => file.Length - Position;

    public ModelFormatException Bad(string problem) => new(file.Path, problem);

    public uint U32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, what));
    public ulong U64(string what) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, what));

    /// <summary>A count of things of at least <paramref name="leastBytes"/> bytes each: no more than can follow.</summary>
    public int Count(long leastBytes, string what, bool wide = true)
    {
        var count = wide ? U64(what) : U32(what);
        if (count > (ulong)(Left / leastBytes) || count > int.MaxValue)
            throw Bad($"it announces {count} {what}, more than the {Left} bytes that follow can hold; the file is cut short or damaged");
        return (int)count;
    }

    public string Text(string what)
    {
        var bytes = Take(Count(1, $"bytes of {what}"), what);
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Bad($"{what} is not UTF-8");
        }
    }

    /// <summary>A metadata value: long, ulong, double, bool, string, or an array of one of these (of arrays: object[]).</summary>
    public object Value(uint type, string key, int nesting = 0)
    {
        switch (type)
        {
            case <= 5 or 11: return Whole(type, key);
            case 6: return (double)BinaryPrimitives.ReadSingleLittleEndian(Take(4, key));
            case 7: return Take(1, key)[0] != 0;
            case 8: return Text($"the value of '{key}'");
            case 9: return Array(key, nesting);
            case 10: return U64(key);
            case 12: return BinaryPrimitives.ReadDoubleLittleEndian(Take(8, key));
            default: throw Bad($"the value of '{key}' has the unknown type {type}");
        }
    }

    private object Array(string key, int nesting)
    {
        if (nesting == MaxNesting) throw Bad($"the value of '{key}' nests arrays deeper than {MaxNesting}");
        var type = U32(key);
        if (type >= ValueBytes.Length) throw Bad($"the array '{key}' has elements of the unknown type {type}");
        var count = Count(Math.Max(1, ValueBytes[type] == 0 ? 8 : ValueBytes[type]), $"elements of '{key}'");
        if ((elements += Math.Min(count, MostElements)) > MostElements)
            throw Bad($"its metadata hold arrays of more than {MostElements} elements; no tokenizer needs as many");
        return type switch
        {
            6 or 12 => Fill(count, () => type == 6 ? BitConverter.UInt32BitsToSingle(U32(key)) : BitConverter.UInt64BitsToDouble(U64(key))),
            7 => Fill(count, () => Take(1, key)[0] != 0),
            8 => Fill(count, () => Text(key)),
            9 => Fill(count, () => Array(key, nesting + 1)),
            10 => Fill(count, () => U64(key)),
            _ => Fill(count, () => Whole(type, key)),
        };
    }

    private static T[] Fill<T>(int count, Func<T> next)
    {
        var values = new T[count];
        for (var i = 0; i < count; i++) values[i] = next();
        return values;
    }

    private long Whole(uint type, string key) => type switch
    {
        0 => Take(1, key)[0],
        1 => (sbyte)Take(1, key)[0],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(Take(2, key)),
        3 => BinaryPrimitives.ReadInt16LittleEndian(Take(2, key)),
        4 => U32(key),
        5 => BinaryPrimitives.ReadInt32LittleEndian(Take(4, key)),
        _ => BinaryPrimitives.ReadInt64LittleEndian(Take(8, key)),
    };

    private ReadOnlySpan<byte> Take(int length, string what)
    {
        if (length > Left) throw Bad($"it ends in the middle of {what}; the file is cut short");
        var bytes = file.Slice(Position, length);
        Position += length;
        return bytes;
    }
}
