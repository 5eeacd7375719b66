using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers.Patterns;

/// <summary>A set of code points made quick to ask: a bit for each unit of the Basic Multilingual Plane, found out page by page.</summary>
internal sealed class CodePointSet(CodePoints points)
{
    private readonly ulong[]?[] pages = new ulong[]?[256];

    public bool ContainsUnit(char unit) => ((pages[unit >> 8] ?? Load(unit >> 8))[unit >> 6 & 3] >> (unit & 63) & 1) != 0;

    /// <summary>How many units the code point at a place takes when it is in the set; 0 when it is not, or the text ends.</summary>
    public int WidthAt(ReadOnlySpan<char> text, int at)
    {
        if ((uint)at >= (uint)text.Length) return 0;
        var unit = text[at];
        if (ContainsUnit(unit)) return 1;
        return char.IsHighSurrogate(unit) && points.Contains(AlignedText.PointAt(text, at, out var width)) ? width : 0;
    }

    private ulong[] Load(int page)
    {
        var bits = new ulong[4];
        for (var unit = 0; unit < 256; unit++)
            if (page is < 0xD8 or > 0xDF && points.Contains(page << 8 | unit)) bits[unit >> 6] |= 1ul << (unit & 63);
        // Two threads may find out the same; either result will do.
        return pages[page] = bits;
    }
}
