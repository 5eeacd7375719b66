using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers.Patterns;

/// <summary>Reads a class in brackets: ranges, escapes, classes within, <c>&amp;&amp;</c> for what is in both.</summary>
internal sealed class PatternClassParser
{
    private readonly string source;
    private int at;

    /// <param name="start">Of the opening bracket.</param>
    /// <param name="end">Behind the closing one.</param>
    public PatternClassParser(string source, int start, out int end)
    {
        (this.source, at) = (source, start);
        Points = Class(0);
        end = at;
    }

    public CodePoints Points { get; }

    private PatternException Bad(string problem) => new($"{problem} (at character {at})");

    private CodePoints Class(int depth)
    {
        if (depth > 16) throw Bad("has classes nested deeper than 16");
        at++;
        var negative = At("^");
        if (negative) at++;
        CodePoints? both = null;
        var parts = new List<CodePoints>();
        var first = true;
        while (true)
        {
            if (at >= source.Length) throw Bad("has a '[' without its ']'");
            if (source[at] == ']' && !first) break;
            if (At("&&"))
            {
                at += 2;
                both = Both(both, parts);
                parts = [];
                continue;
            }
            parts.Add(At("[:") ? Posix() : source[at] == '[' ? Class(depth + 1) : Item());
            first = false;
        }
        at++;
        var points = Both(both, parts);
        return negative ? new CodePoints.Complement(points) : points;
    }

    private static CodePoints Both(CodePoints? left, List<CodePoints> parts)
    {
        CodePoints right = parts.Count == 1 ? parts[0] : new CodePoints.Union(parts);
        return left is null ? right : new CodePoints.Intersection(left, right);
    }

    private bool At(string text) => string.CompareOrdinal(source, at, text, 0, text.Length) == 0;

    private CodePoints Posix()
    {
        var end = source.IndexOf(":]", at, StringComparison.Ordinal);
        if (end < 0) throw Bad("has a '[:' without its ':]'");
        var name = source[(at + 2)..end];
        var negative = name.StartsWith('^');
        var points = CodePoints.Property(negative ? name[1..] : name) ?? throw Bad($"the class '[:{name}:]' is not supported");
        at = end + 2;
        return negative ? new CodePoints.Complement(points) : points;
    }

    private CodePoints Item()
    {
        var low = Single();
        if (low is not CodePoints.Span { First: var first, Last: var last } || first != last || !At("-") || at + 1 >= source.Length
            || source[at + 1] is ']' or '[')
            return low;
        at++;
        if (Single() is not CodePoints.Span { First: var high, Last: var same } || high != same || high < first)
            throw Bad("has a range that does not run from one character to a later one");
        return new CodePoints.Span(first, high);
    }

    private CodePoints Single()
    {
        if (source[at] == '\\') return At("\\b") ? throw Bad("'\\b' in a class is not supported") : PatternEscapes.Read(source, ref at);
        var point = AlignedText.PointAt(source, at, out var width);
        at += width;
        return CodePoints.One(point);
    }
}
