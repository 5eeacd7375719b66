using System.Text;
using System.Text.RegularExpressions;

namespace Graft.Modeling.Tokenizers;

/// <summary>What becomes of the parts that a pattern finds, and of those between.</summary>
internal enum SplitBehavior { Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous }

/// <summary>
/// Cuts a text into pieces that no token spans. .NET matches UTF-16 units, the patterns mean characters: so a text with
/// characters beyond the Basic Multilingual Plane is matched in a shadow in which each of them is one unit of its category.
/// </summary>
internal sealed partial class PreTokenizer
{
    private static readonly Rune[] Representatives = FindRepresentatives();
    private readonly Regex pattern;
    private readonly SplitBehavior behavior;
    private readonly bool invert;

    private PreTokenizer(Regex pattern, SplitBehavior behavior, bool invert, string source)
    {
        (this.pattern, this.behavior, this.invert, Source) = (pattern, behavior, invert, source);
    }

    /// <summary>The pattern as tokenizer.json has it.</summary>
    public string Source { get; }

    public SplitBehavior Behavior => behavior;
    public bool Invert => invert;

    /// <summary>GPT-2's words: contractions, letters, numbers, other signs, each with one blank before; runs of blanks.</summary>
    public static PreTokenizer Gpt2 { get; } = new(Gpt2Pattern(), SplitBehavior.Isolated, false, Gpt2Text);

    /// <summary>Every digit by itself.</summary>
    public static PreTokenizer Digits { get; } = new(DigitPattern(), SplitBehavior.Isolated, false, @"\p{N}");

    /// <summary>Numbers by themselves.</summary>
    public static PreTokenizer Numbers { get; } = new(NumberPattern(), SplitBehavior.Isolated, false, @"\p{N}+");

    /// <exception cref="ArgumentException">The pattern cannot be read.</exception>
    public static PreTokenizer Split(string pattern, SplitBehavior behavior, bool invert) =>
        new(new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.Compiled, TimeSpan.FromMinutes(1)), behavior, invert, pattern);

    /// <summary>Adds the pieces of <paramref name="text"/> between <paramref name="start"/> and <paramref name="end"/>.</summary>
    public void Cut(string text, int start, int end, List<(int Start, int End)> pieces)
    {
        var part = text.AsSpan(start, end - start);
        if (part.IndexOfAnyInRange('\ud800', '\udfff') < 0)
        {
            Cut(part, i => i + start, pieces);
            return;
        }
        var shadow = new char[part.Length];
        var places = new int[part.Length + 1];
        var units = 0;
        for (var i = 0; i < part.Length;)
        {
            places[units] = start + i;
            Rune.DecodeFromUtf16(part[i..], out var rune, out var width);
            shadow[units++] = (char)(rune.IsBmp ? rune : Representatives[(int)Rune.GetUnicodeCategory(rune)]).Value;
            i += width;
        }
        places[units] = end;
        Cut(shadow.AsSpan(0, units), i => places[i], pieces);
    }

    private void Cut(ReadOnlySpan<char> text, Func<int, int> place, List<(int, int)> pieces)
    {
        // Found parts and the parts between, in order; an inverted pattern names the parts between.
        var cuts = new List<(int Start, int End, bool Found)>();
        var at = 0;
        foreach (var match in pattern.EnumerateMatches(text))
        {
            if (match.Length == 0) continue;
            if (match.Index > at) cuts.Add((at, match.Index, invert));
            cuts.Add((match.Index, match.Index + match.Length, !invert));
            at = match.Index + match.Length;
        }
        if (at < text.Length) cuts.Add((at, text.Length, invert));
        foreach (var (from, to) in Join(cuts)) pieces.Add((place(from), place(to)));
    }

    private IEnumerable<(int Start, int End)> Join(List<(int Start, int End, bool Found)> cuts)
    {
        switch (behavior)
        {
            case SplitBehavior.Isolated: return cuts.Select(c => (c.Start, c.End));
            case SplitBehavior.Removed: return cuts.Where(c => !c.Found).Select(c => (c.Start, c.End));
        }
        var joined = new List<(int Start, int End)>();
        var previousFound = false;
        for (var i = 0; i < cuts.Count; i++)
        {
            var (start, end, found) = cuts[i];
            var joins = i > 0 && behavior switch
            {
                SplitBehavior.MergedWithPrevious => found && !previousFound,
                SplitBehavior.MergedWithNext => previousFound && !found,
                _ => found == previousFound,
            };
            if (joins) joined[^1] = (joined[^1].Start, end);
            else joined.Add((start, end));
            previousFound = found;
        }
        return joined;
    }

    /// <summary>A character of the Basic Multilingual Plane, beyond ASCII, for each category.</summary>
    private static Rune[] FindRepresentatives()
    {
        var found = new Rune[30];
        Array.Fill(found, new Rune('\ufffd'));
        for (var c = 0xffff; c > 0x7f; c--)
            if (Rune.IsValid(c)) found[(int)Rune.GetUnicodeCategory(new Rune(c))] = new Rune(c);
        return found;
    }

    private const string Gpt2Text = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    [GeneratedRegex(Gpt2Text, RegexOptions.CultureInvariant)]
    private static partial Regex Gpt2Pattern();

    [GeneratedRegex(@"\p{N}", RegexOptions.CultureInvariant)]
    private static partial Regex DigitPattern();

    [GeneratedRegex(@"\p{N}+", RegexOptions.CultureInvariant)]
    private static partial Regex NumberPattern();
}
