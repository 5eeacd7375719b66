using System.Globalization;
using System.Text;
using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers.Patterns;

/// <summary>A set of code points, as a pattern writes it.</summary>
internal abstract record CodePoints
{
    public abstract bool Contains(int point);

    public static CodePoints One(int point) => new Span(point, point);

    /// <summary>From <paramref name="First"/> to <paramref name="Last"/>, both included.</summary>
    public sealed record Span(int First, int Last) : CodePoints
    {
        public override bool Contains(int point) => point >= First && point <= Last;
    }

    /// <summary>General categories, a bit each.</summary>
    public sealed record Categories(uint Mask) : CodePoints
    {
        public override bool Contains(int point) => (Mask >> (int)CharacterClasses.CategoryOf(point) & 1) != 0;
    }

    public sealed record Class(Func<int, bool> Rule) : CodePoints
    {
        public override bool Contains(int point) => Rule(point);
    }

    public sealed record Union(IReadOnlyList<CodePoints> Parts) : CodePoints
    {
        public override bool Contains(int point)
        {
            foreach (var part in Parts)
                if (part.Contains(point)) return true;
            return false;
        }
    }

    public sealed record Intersection(CodePoints Left, CodePoints Right) : CodePoints
    {
        public override bool Contains(int point) => Left.Contains(point) && Right.Contains(point);
    }

    public sealed record Complement(CodePoints Inner) : CodePoints
    {
        public override bool Contains(int point) => !Inner.Contains(point);
    }

    /// <summary>With every code point that differs only in case.</summary>
    public sealed record AnyCase(CodePoints Inner) : CodePoints
    {
        public override bool Contains(int point)
        {
            if (Inner.Contains(point)) return true;
            if (!Rune.IsValid(point)) return false;
            var (lower, upper) = (Rune.ToLowerInvariant(new Rune(point)), Rune.ToUpperInvariant(new Rune(point)));
            return Inner.Contains(lower.Value) || Inner.Contains(upper.Value) || Inner.Contains(Rune.ToLowerInvariant(upper).Value)
                || Inner.Contains(Rune.ToUpperInvariant(lower).Value) || (Twin(lower.Value) is { } twin && Inner.Contains(twin));
        }

        /// <summary>Long s, Kelvin and Angstrom fold to letters that do not map back to them; and those letters to them.</summary>
        private static int? Twin(int lower) => lower switch
        {
            's' => 0x17F, 'k' => 0x212A, 0xE5 => 0x212B, 0x17F => 's', _ => null,
        };
    }

    /// <summary>A Unicode property by the names that published patterns use; null when it is none of them.</summary>
    public static CodePoints? Property(string name)
    {
        name = name.Replace("_", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant();
        var mask = 0u;
        for (var category = 0; category < Abbreviations.Length; category++)
            if (Abbreviations[category] == name || (name.Length == 1 && Abbreviations[category][0] == name[0])) mask |= 1u << category;
        if (mask != 0) return new Categories(mask);
        return name switch
        {
            "l&" or "lc" => new Categories(0b111),
            "letter" => Property("l"),
            "mark" => Property("m"),
            "number" => Property("n"),
            "punctuation" => Property("p"),
            "symbol" => Property("s"),
            "separator" => Property("z"),
            "other" => Property("c"),
            "alpha" or "alphabetic" => new Class(p => CharacterClasses.IsWord(p)
                && CharacterClasses.CategoryOf(p) is not (UnicodeCategory.DecimalDigitNumber or UnicodeCategory.ConnectorPunctuation
                    or UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format)),
            "digit" => Property("nd"),
            "space" or "whitespace" => new Class(CharacterClasses.IsWhiteSpace),
            "word" => new Class(CharacterClasses.IsPatternWord),
            "han" => Script(Han),
            "hiragana" => Script(Hiragana),
            "katakana" => Script(Katakana),
            "any" => new Span(0, 0x10FFFF),
            _ => null,
        };
    }

    private static readonly string[] Abbreviations =
    [
        "lu", "ll", "lt", "lm", "lo", "mn", "mc", "me", "nd", "nl", "no", "zs", "zl", "zp", "cc", "cf", "cs", "co", "pc", "pd", "ps", "pe",
            "pi",
        "pf", "po", "sm", "sc", "sk", "so", "cn",
    ];

    private static Union Script((int First, int Last)[] spans) => new([.. spans.Select(s => new Span(s.First, s.Last))]);

    // Scripts.txt of the Unicode Character Database.
    private static readonly (int, int)[] Han =
    [
        (0x2E80, 0x2E99), (0x2E9B, 0x2EF3), (0x2F00, 0x2FD5), (0x3005, 0x3005), (0x3007, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B),
        (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFA6D), (0xFA70, 0xFAD9), (0x16FE2, 0x16FE3), (0x16FF0, 0x16FF1), (0x20000, 0x2A6DF),
        (0x2A700, 0x2B739), (0x2B740, 0x2B81D), (0x2B820, 0x2CEA1), (0x2CEB0, 0x2EBE0), (0x2EBF0, 0x2EE5D), (0x2F800, 0x2FA1D),
        (0x30000, 0x3134A), (0x31350, 0x323AF),
    ];

    private static readonly (int, int)[] Hiragana =
        [(0x3041, 0x3096), (0x309D, 0x309F), (0x1B001, 0x1B11F), (0x1B132, 0x1B132), (0x1B150, 0x1B152), (0x1F200, 0x1F200)];

    private static readonly (int, int)[] Katakana =
    [
        (0x30A1, 0x30FA), (0x30FD, 0x30FF), (0x31F0, 0x31FF), (0x32D0, 0x32FE), (0x3300, 0x3357), (0xFF66, 0xFF6F), (0xFF71, 0xFF9D),
        (0x1AFF0, 0x1AFF3), (0x1AFF5, 0x1AFFB), (0x1AFFD, 0x1AFFE), (0x1B000, 0x1B000), (0x1B120, 0x1B122), (0x1B155, 0x1B155),
        (0x1B164, 0x1B167),
    ];
}
