using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers.Normalizers;

/// <summary>
/// SentencePiece's precompiled map of characters: a double array (Darts-clone, 32-bit units) over UTF-8 whose values are places in a list
/// of texts, each ended by a zero byte. A grapheme of less than six bytes is looked up whole, where the shortest entry that it begins
/// with stands for all of it; else each code point by itself, as the tokenizers library does.
/// </summary>
internal sealed class PrecompiledNormalizer : Normalizer
{
    private readonly uint[] units;
    private readonly byte[] texts;

    /// <exception cref="FormatException">It is no such map.</exception>
    public PrecompiledNormalizer(byte[] map)
    {
        if (map.Length < 4) throw new FormatException("the map of characters is cut short");
        var size = BinaryPrimitives.ReadUInt32LittleEndian(map);
        if (size % 4 != 0 || size > map.Length - 4)
            throw new FormatException($"the map of characters says that its trie has {size} bytes, but has {map.Length - 4} in all");
        units = new uint[size / 4];
        for (var i = 0; i < units.Length; i++) units[i] = BinaryPrimitives.ReadUInt32LittleEndian(map.AsSpan(4 + 4 * i));
        texts = map[(4 + (int)size)..];
    }

    public override AlignedText Apply(AlignedText text)
    {
        var points = new List<(int Point, int Change)>(text.Length);
        var modified = false;
        Span<byte> bytes = stackalloc byte[8];
        for (var at = 0; at < text.Length;)
        {
            var length = StringInfo.GetNextTextElementLength(text.Span[at..]);
            var grapheme = text.Span.Slice(at, length);
            at += length;
            if (length < 6 && Encoding.UTF8.GetByteCount(grapheme) < 6
                && Find(bytes[..Encoding.UTF8.GetBytes(grapheme, bytes)]) is { } whole)
            {
                modified = true;
                Replace(points, grapheme, whole);
                continue;
            }
            for (var i = 0; i < length;)
            {
                var point = AlignedText.PointAt(grapheme, i, out var width);
                var part = grapheme.Slice(i, width);
                i += width;
                if (Find(bytes[..Encoding.UTF8.GetBytes(part, bytes)]) is { } one)
                {
                    modified = true;
                    Replace(points, part, one);
                }
                else
                {
                    points.Add((point, 0));
                }
            }
        }
        return modified ? AlignedBuilder.Transform(text, points) : text;
    }

    private static void Replace(List<(int Point, int Change)> points, ReadOnlySpan<char> old, string by)
    {
        var count = points.Count;
        foreach (var rune in by.EnumerateRunes()) points.Add((rune.Value, 0));
        var more = points.Count - count;
        foreach (var _ in old.EnumerateRunes()) more--;
        for (var i = 0; i < more; i++) points[^(i + 1)] = (points[^(i + 1)].Point, 1);
        if (more < 0 && points.Count > 0) points[^1] = (points[^1].Point, points[^1].Change + more);
    }

    private string? Find(ReadOnlySpan<byte> key)
    {
        if (units.Length == 0) return null;
        var node = Offset(units[0]);
        foreach (var b in key)
        {
            if (b == 0) return null;
            node ^= b;
            if (node >= (uint)units.Length || (units[node] & 0x800000FF) != b) return null;
            var unit = units[node];
            node ^= Offset(unit);
            if ((unit >> 8 & 1) != 0) return node < (uint)units.Length ? TextAt(units[node] & 0x7FFFFFFF) : null;
        }
        return null;
    }

    private string? TextAt(uint place)
    {
        if (place >= (uint)texts.Length) return null;
        var rest = texts.AsSpan((int)place);
        return rest.IndexOf((byte)0) is var end and >= 0 ? Encoding.UTF8.GetString(rest[..end]) : null;
    }

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & 1u << 9) >> 6);
}
