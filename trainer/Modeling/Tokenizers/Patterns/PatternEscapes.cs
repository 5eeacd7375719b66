using System.Globalization;
using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers.Patterns;

/// <summary>What stands after a backslash.</summary>
internal static class PatternEscapes
{
    /// <param name="at">Of the backslash; moved behind the escape.</param>
    /// <exception cref="PatternException">It is not known.</exception>
    public static CodePoints Read(string source, ref int at)
    {
        if (at + 1 >= source.Length) throw new PatternException($"ends with a '\\' (at character {at})");
        var letter = source[at + 1];
        var start = at;
        at += 2;
        switch (letter)
        {
            case 's': return CodePoints.Property("space")!;
            case 'S': return new CodePoints.Complement(CodePoints.Property("space")!);
            case 'd': return CodePoints.Property("nd")!;
            case 'D': return new CodePoints.Complement(CodePoints.Property("nd")!);
            case 'w': return CodePoints.Property("word")!;
            case 'W': return new CodePoints.Complement(CodePoints.Property("word")!);
            case 'h': return new CodePoints.Class(p => p < 0x80 && char.IsAsciiHexDigit((char)p));
            case 'H': return new CodePoints.Class(p => p >= 0x80 || !char.IsAsciiHexDigit((char)p));
            case 'p' or 'P': return Property(source, ref at, letter == 'P');
            case 'x' when at < source.Length && source[at] == '{':
                var end = source.IndexOf('}', at);
                if (end < 0) throw new PatternException($"has a '\\x{{' without its end (at character {start})");
                var braced = Hex(source[(at + 1)..end], start);
                at = end + 1;
                return braced;
            case 'x': return Digits(source, ref at, 2, start);
            case 'u': return Digits(source, ref at, 4, start);
        }
        if (Control(letter) is { } control) return CodePoints.One(control);
        if (char.IsAsciiLetterOrDigit(letter)) throw new PatternException($"'\\{letter}' is not supported (at character {start})");
        var point = AlignedText.PointAt(source, start + 1, out var width);
        at = start + 1 + width;
        return CodePoints.One(point);
    }

    private static int? Control(char letter) => letter switch
    {
        'n' => '\n', 'r' => '\r', 't' => '\t', 'f' => '\f', 'v' => '\v', 'a' => '\a', 'e' => 27, '0' => 0, _ => null,
    };

    private static CodePoints Property(string source, ref int at, bool negative)
    {
        string name;
        if (at < source.Length && source[at] == '{' && source.IndexOf('}', at) is var end and > 0)
        {
            name = source[(at + 1)..end];
            at = end + 1;
        }
        else
        {
            throw new PatternException($"has a '\\p' without a name in braces (at character {at})");
        }
        if (name.StartsWith('^')) (negative, name) = (!negative, name[1..]);
        var points = CodePoints.Property(name) ?? throw new PatternException($"the property '{name}' is not supported (at character {at})");
        return negative ? new CodePoints.Complement(points) : points;
    }

    private static CodePoints Digits(string source, ref int at, int count, int start)
    {
        if (at + count > source.Length) throw new PatternException($"has a code that is cut short (at character {start})");
        at += count;
        return Hex(source.Substring(at - count, count), start);
    }

    private static CodePoints Hex(string digits, int start) =>
        int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var point) && point is >= 0 and <= 0x10FFFF
            ? CodePoints.One(point) : throw new PatternException($"'{digits}' is no code point (at character {start})");
}
