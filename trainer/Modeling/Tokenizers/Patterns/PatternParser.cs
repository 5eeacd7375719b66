using System.Globalization;
using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers.Patterns;

/// <summary>
/// Reads regular expressions as Oniguruma does in its Ruby syntax, which is what the tokenizers library uses: over code points, <c>^</c>
/// and <c>$</c> at lines, <c>.</c> without line feeds. What it does not know it refuses.
/// </summary>
internal sealed class PatternParser
{
    private const int DeepestNesting = 100;
    private static readonly string[] FoldedTogether = ["ss", "st", "ff", "fi", "fl"];
    private readonly string source;
    private int at, depth;
    private bool anyCase, dotAll;

    private PatternParser(string source) => this.source = source;

    /// <exception cref="PatternException">It cannot be read or is not supported.</exception>
    public static PatternTree Parse(string source)
    {
        if (source.Length > 1 << 16) throw new PatternException($"it has {source.Length} characters; at most {1 << 16} are allowed");
        var parser = new PatternParser(source);
        var tree = parser.Choice();
        if (parser.at < source.Length) throw parser.Bad("has a ')' without its '('");
        return tree;
    }

    private bool More => at < source.Length;

    private PatternException Bad(string problem) => new($"{problem} (at character {at})");

    private bool Take(string text)
    {
        if (string.CompareOrdinal(source, at, text, 0, text.Length) != 0) return false;
        at += text.Length;
        return true;
    }

    private PatternTree Choice()
    {
        if (++depth > DeepestNesting) throw Bad($"is nested deeper than {DeepestNesting}");
        var (outerCase, outerDot) = (anyCase, dotAll);
        var branches = new List<PatternTree> { Sequence() };
        while (Take("|")) branches.Add(Sequence());
        (anyCase, dotAll) = (outerCase, outerDot);
        depth--;
        if (branches.Count == 1) return branches[0];
        return branches.All(b => b is PatternTree.Set)
            ? new PatternTree.Set(new CodePoints.Union([.. branches.Select(b => ((PatternTree.Set)b).Points)]))
            : new PatternTree.Choice(branches);
    }

    private PatternTree Sequence()
    {
        var parts = new List<PatternTree>();
        var previous = -1;
        while (More && source[at] is not ('|' or ')'))
        {
            var start = at;
            var part = Atom();
            if (part is null) continue;
            // One character may be the folding of two letters (ß of ss), which sets of single characters cannot say.
            var letter = anyCase && at == start + 1 ? char.ToLowerInvariant(source[start]) : -1;
            if (letter >= 0 && previous >= 0 && FoldedTogether.Contains($"{(char)previous}{(char)letter}"))
                throw Bad($"'{(char)previous}{(char)letter}' in any case is not supported: one character may stand for both");
            previous = letter;
            parts.Add(Quantified(part));
        }
        return parts.Count == 1 ? parts[0] : new PatternTree.Sequence(parts);
    }

    private PatternTree Quantified(PatternTree part)
    {
        while (More)
        {
            var (least, most, counted) = (0, -1, false);
            if (Take("*")) { }
            else if (Take("+")) least = 1;
            else if (Take("?")) most = 1;
            else if (Counts() is { } counts) (least, most, counted) = (counts.Least, counts.Most, true);
            else break;
            if (part is PatternTree.Anchor or PatternTree.LookAhead or PatternTree.LookBehind) throw Bad("repeats a position");
            var greed = Take("?") ? Greed.Lazy : More && source[at] == '+' && !counted && Take("+") ? Greed.Possessive : Greed.Greedy;
            if (counted && (greed != Greed.Greedy || (More && source[at] == '+'))) throw Bad("a sign after a count is not supported");
            if (most < 0 && part is not PatternTree.Set && !PatternTree.HasOneWay(part))
                throw Bad("repeating a group without limit is supported only where it matches in one way");
            if (most > 1000 || least > 1000) throw Bad("counts above 1000 are not supported");
            part = new PatternTree.Repeat(part, least, most, greed);
        }
        return part;
    }

    /// <summary><c>{n}</c>, <c>{n,}</c>, <c>{,m}</c>, <c>{n,m}</c>; anything else is the sign itself.</summary>
    private (int Least, int Most)? Counts()
    {
        if (source[at] != '{' || source.IndexOf('}', at) is var end && end < 0) return null;
        var parts = source[(at + 1)..end].Split(',');
        static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : null;
        (int, int)? counts = parts switch
        {
            [var one] when Number(one) is { } n => (n, n),
            [var one, ""] when Number(one) is { } n => (n, -1),
            ["", var two] when Number(two) is { } m => (0, m),
            [var one, var two] when Number(one) is { } n && Number(two) is { } m && n <= m => (n, m),
            _ => null,
        };
        if (counts is not null) at = end + 1;
        return counts;
    }

    private PatternTree? Atom()
    {
        switch (source[at])
        {
            case '(': return Group();
            case '[': return Fold(new PatternClassParser(source, at, out at).Points);
            case '.': at++; return new PatternTree.Set(dotAll ? new CodePoints.Span(0, 0x10FFFF)
                : new CodePoints.Complement(CodePoints.One('\n')));
            case '^': at++; return new PatternTree.Anchor(AnchorKind.LineStart);
            case '$': at++; return new PatternTree.Anchor(AnchorKind.LineEnd);
            case '*' or '+' or '?': throw Bad("repeats nothing");
            case '\\':
                if (at + 1 == source.Length) throw Bad("ends with a '\\'");
                AnchorKind? anchor = source[at + 1] switch
                {
                    'A' => AnchorKind.TextStart, 'z' => AnchorKind.TextEnd, 'Z' => AnchorKind.TextEndOrLastLine, 'b' =>
                        AnchorKind.WordBoundary,
                    'B' => AnchorKind.NoWordBoundary, _ => null,
                };
                if (anchor is not { } kind) return Fold(PatternEscapes.Read(source, ref at));
                at += 2;
                return new PatternTree.Anchor(kind);
            default:
                var point = AlignedText.PointAt(source, at, out var width);
                at += width;
                return Fold(CodePoints.One(point));
        }
    }

    private PatternTree.Set Fold(CodePoints points) => new(anyCase ? new CodePoints.AnyCase(points) : points);

    private PatternTree? Group()
    {
        if (Take("(?=")) return new PatternTree.LookAhead(Closed(), false);
        if (Take("(?!")) return new PatternTree.LookAhead(Closed(), true);
        if (Take("(?<=")) return Behind(false);
        if (Take("(?<!")) return Behind(true);
        if (Take("(?>")) return new PatternTree.Atomic(Closed());
        if (Take("(?:")) return Closed();
        if (!Take("(?")) return Take("(") ? Closed() : null;
        if (Take("<"))
        {
            var end = source.IndexOf('>', at);
            if (end < 0) throw Bad("has a group's name without its end");
            at = end + 1;
            return Closed();
        }
        return Options();
    }

    /// <summary><c>(?i:...)</c>, or <c>(?i)</c> for what is left of the group.</summary>
    private PatternTree? Options()
    {
        var (outerCase, outerDot, on) = (anyCase, dotAll, true);
        while (More && source[at] is not (')' or ':'))
        {
            switch (source[at++])
            {
                case '-': on = false; break;
                case 'i': anyCase = on; break;
                case 'm': dotAll = on; break;
                case var option: throw Bad($"the option or group '(?{option}' is not supported");
            }
        }
        if (Take(")")) return null;
        if (!Take(":")) throw Bad("has a group without its end");
        var group = Closed();
        (anyCase, dotAll) = (outerCase, outerDot);
        return group;
    }

    private PatternTree.LookBehind Behind(bool negative) =>
        Closed() is PatternTree.Set set ? new(set.Points, negative) : throw Bad("looking back at more than one character is not supported");

    private PatternTree Closed()
    {
        var inner = Choice();
        return Take(")") ? inner : throw Bad("has a group without its end");
    }
}
