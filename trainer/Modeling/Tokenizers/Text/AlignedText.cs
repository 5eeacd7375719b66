namespace Graft.Modeling.Tokenizers.Text;

/// <summary>
/// A text on its way through a tokenizer: UTF-16 units without lone surrogates and, where asked for, the range of the original text (in
/// code points) that each unit stands for.
/// </summary>
internal sealed class AlignedText
{
    private readonly char[] units;

    /// <summary>How many times as long a text may become; a file whose rules double a text again and again is stopped there.</summary>
    private const int MostGrowth = 64, AlwaysAllowed = 1 << 20;

    public AlignedText(char[] units, int length, int[]? starts, int[]? ends, int origin, long most)
    {
        (this.units, Length, Starts, Ends, Origin, Most) = (units, length, starts, ends, origin, most);
    }

    public int Length { get; }

    /// <summary>For each unit the first code point of the original that it stands for; null where alignment is not kept.</summary>
    public int[]? Starts { get; }

    /// <summary>For each unit one more than the last code point.</summary>
    public int[]? Ends { get; }

    /// <summary>Where this part begins in the original; without alignment only whether it is 0 means something.</summary>
    public int Origin { get; }

    /// <summary>The longest text, in units, that may come of the original.</summary>
    public long Most { get; }

    public bool IsAligned => Starts is not null;
    public ReadOnlySpan<char> Span => units.AsSpan(0, Length);

    /// <summary>The original. Lone surrogates, which are no characters, become U+FFFD.</summary>
    public static AlignedText Of(string text, bool aligned)
    {
        var units = text.ToCharArray();
        int[]? starts = aligned ? new int[units.Length] : null, ends = aligned ? new int[units.Length] : null;
        var most = AlwaysAllowed + (long)MostGrowth * units.Length;
        var surrogates = units.AsSpan().IndexOfAnyInRange('\ud800', '\udfff') >= 0;
        if (!surrogates && !aligned) return new AlignedText(units, units.Length, null, null, 0, most);
        for (int i = 0, point = 0; i < units.Length; point++)
        {
            var width = 1;
            if (char.IsSurrogate(units[i]))
            {
                if (char.IsHighSurrogate(units[i]) && i + 1 < units.Length && char.IsLowSurrogate(units[i + 1])) width = 2;
                else units[i] = '\ufffd';
            }
            for (; width > 0; width--, i++)
                if (starts is not null) (starts[i], ends![i]) = (point, point + 1);
        }
        return new AlignedText(units, units.Length, starts, ends, 0, most);
    }

    public AlignedText Slice(int start, int end)
    {
        var origin = Starts is null ? Origin + start : start < end ? Starts[start] : Origin;
        if (start == 0 && end == Length && origin == Origin) return this;
        return new AlignedText(units[start..end], end - start, Starts?[start..end], Ends?[start..end], origin, Most);
    }

    /// <summary>The code point at a unit, and how many units it takes.</summary>
    public static int PointAt(ReadOnlySpan<char> text, int at, out int width)
    {
        var unit = text[at];
        if (char.IsHighSurrogate(unit) && at + 1 < text.Length)
        {
            width = 2;
            return char.ConvertToUtf32(unit, text[at + 1]);
        }
        width = 1;
        return unit;
    }

    public override string ToString() => new(Span);
}
