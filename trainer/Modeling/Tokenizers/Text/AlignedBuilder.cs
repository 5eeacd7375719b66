namespace Graft.Modeling.Tokenizers.Text;

/// <summary>Writes a text anew, each unit aligned with a place of the text it was made from.</summary>
internal sealed class AlignedBuilder
{
    private readonly AlignedText source;
    private char[] units;
    private int[]? starts, ends;
    private int length;

    public AlignedBuilder(AlignedText source)
    {
        this.source = source;
        units = new char[source.Length + 16];
        if (source.IsAligned) (starts, ends) = (new int[units.Length], new int[units.Length]);
    }

    public int Length => length;

    /// <summary>Copies a range as it is.</summary>
    public void Keep(int start, int end)
    {
        Reserve(end - start);
        source.Span[start..end].CopyTo(units.AsSpan(length));
        if (starts is not null)
        {
            source.Starts.AsSpan(start, end - start).CopyTo(starts.AsSpan(length));
            source.Ends.AsSpan(start, end - start).CopyTo(ends.AsSpan(length));
        }
        length += end - start;
    }

    /// <param name="at">The unit of the source that it is aligned with; -1: the place where the source begins.</param>
    public void Put(char unit, int at)
    {
        Reserve(1);
        if (starts is not null)
        {
            (starts[length], ends![length]) = at < 0 ? (source.Origin, source.Origin) : (source.Starts![at], source.Ends![at]);
        }
        units[length++] = unit;
    }

    public void Put(ReadOnlySpan<char> text, int at)
    {
        foreach (var unit in text) Put(unit, at);
    }

    public void PutPoint(int point, int at)
    {
        if (point < 0x10000)
        {
            Put((char)point, at);
            return;
        }
        Put((char)(0xD800 + ((point - 0x10000) >> 10)), at);
        Put((char)(0xDC00 + ((point - 0x10000) & 0x3FF)), at);
    }

    /// <summary>
    /// Each byte of a range's UTF-8 as its character of <see cref="ByteAlphabet"/>, aligned with the code point it is of.
    /// </summary>
    public void PutBytes(int start, int end)
    {
        Reserve(3 * (end - start));
        var from = source.Span;
        Span<byte> bytes = stackalloc byte[4];
        for (var i = start; i < end;)
        {
            if (from[i] < 0x80 && starts is null)
            {
                units[length++] = ByteAlphabet.Character((byte)from[i++]);
                continue;
            }
            var rune = new System.Text.Rune(AlignedText.PointAt(from, i, out var width));
            foreach (var b in bytes[..rune.EncodeToUtf8(bytes)]) Put(ByteAlphabet.Character(b), i);
            i += width;
        }
    }

    public AlignedText Build() => new(units, length, starts, ends, source.Origin, source.Most);

    /// <summary>
    /// Replaces the whole text by code points with their changes: 0 stands in the next code point's place, 1 is new and aligned with what
    /// came before, -n stands in the next one's place and n more after it are gone. This is how the tokenizers library aligns.
    /// </summary>
    /// <param name="removed">Code points at the beginning that are gone.</param>
    public static AlignedText Transform(AlignedText source, List<(int Point, int Change)> points, int removed = 0)
    {
        var builder = new AlignedBuilder(source);
        var at = 0;
        for (; removed > 0 && at < source.Length; removed--) at += Width(at);
        foreach (var (point, change) in points)
        {
            if (change > 0)
            {
                builder.PutPoint(point, at - 1);
                continue;
            }
            builder.PutPoint(point, Math.Min(at, source.Length - 1));
            for (var gone = change; gone <= 0 && at < source.Length; gone++) at += Width(at);
        }
        return builder.Build();

        int Width(int i) => char.IsHighSurrogate(source.Span[i]) ? 2 : 1;
    }

    private void Reserve(int more)
    {
        if (length + more <= units.Length) return;
        if (length + more > source.Most)
            throw new ModelFormatException("tokenizer.json", $"its rules make more than {source.Most} characters of a text");
        var size = Math.Max(units.Length * 2, length + more);
        Array.Resize(ref units, size);
        if (starts is null) return;
        Array.Resize(ref starts, size);
        Array.Resize(ref ends, size);
    }
}
