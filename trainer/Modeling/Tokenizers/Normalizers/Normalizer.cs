using Graft.Modeling.Tokenizers.Patterns;
using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers.Normalizers;

/// <summary>Rewrites a text before it is cut into pieces; each kind is named as in tokenizer.json.</summary>
internal abstract class Normalizer
{
    public abstract AlignedText Apply(AlignedText text);
}

internal sealed class NormalizerSequence(IReadOnlyList<Normalizer> parts) : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        foreach (var part in parts) text = part.Apply(text);
        return text;
    }
}

/// <summary>NFC, NFD, NFKC, NFKD.</summary>
internal sealed class UnicodeFormNormalizer(bool compatible, bool compose) : Normalizer
{
    public override AlignedText Apply(AlignedText text) =>
        UnicodeNormalization.Tables.Normalize(text.Span, compatible, compose) is { } points ? AlignedBuilder.Transform(text, points) : text;
}

/// <summary>Each code point by itself: what a rule says instead of it, or nothing.</summary>
internal sealed class PointNormalizer(Func<int, int?> rule) : Normalizer
{
    private const int Unchanged = -1;

    /// <summary>Without what a rule names.</summary>
    public static PointNormalizer Without(Func<int, bool> gone) => new(p => gone(p) ? null : Unchanged);

    /// <summary>StripAccents: without marks.</summary>
    public static PointNormalizer Accents() => Without(p => CharacterClasses.CategoryOf(p) is
        System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark
        or System.Globalization.UnicodeCategory.EnclosingMark);

    /// <summary>SentencePiece's rules for machine translation: without controls, other blanks as a blank.</summary>
    public static PointNormalizer Nmt() => new(p => p switch
    {
        >= 0x01 and <= 0x08 or 0x0B or >= 0x0E and <= 0x1F or 0x7F or 0x8F or 0x9F => null,
        0x09 or 0x0A or 0x0C or 0x0D or 0x1680 or >= 0x200B and <= 0x200F or 0x2028 or 0x2029 or 0x2581 or 0xFEFF or 0xFFFD => ' ',
        _ => Unchanged,
    });

    public override AlignedText Apply(AlignedText text)
    {
        var span = text.Span;
        var builder = new AlignedBuilder(text);
        for (var i = 0; i < span.Length;)
        {
            var point = AlignedText.PointAt(span, i, out var width);
            switch (rule(point))
            {
                case null: break;
                case Unchanged: builder.Keep(i, i + width); break;
                case { } other: builder.PutPoint(other, i); break;
            }
            i += width;
        }
        return builder.Length == text.Length && builder.Build() is var same && same.Span.SequenceEqual(span) ? text : builder.Build();
    }
}

/// <summary>Each code point by itself in lower case; only the capital I with a dot becomes two.</summary>
internal sealed class LowercaseNormalizer : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        var span = text.Span;
        var builder = new AlignedBuilder(text);
        for (var i = 0; i < span.Length;)
        {
            var point = AlignedText.PointAt(span, i, out var width);
            if (point == 0x130) builder.Put("i\u0307", i);
            else builder.PutPoint(System.Text.Rune.IsValid(point) ? System.Text.Rune.ToLowerInvariant(new System.Text.Rune(point)).Value
                : point, i);
            i += width;
        }
        return builder.Build();
    }
}

/// <summary>Without blanks at its ends.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        var (start, end) = (0, text.Length);
        while (left && start < end && char.IsWhiteSpace(text.Span[start])) start++;
        while (right && end > start && char.IsWhiteSpace(text.Span[end - 1])) end--;
        if (start == 0 && end == text.Length) return text;
        var builder = new AlignedBuilder(text);
        builder.Keep(start, end);
        return builder.Build();
    }
}

/// <summary>A text put before one that is not empty.</summary>
internal sealed class PrependNormalizer(string prefix) : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        if (text.Length == 0) return text;
        var builder = new AlignedBuilder(text);
        builder.Put(prefix, 0);
        builder.Keep(0, text.Length);
        return builder.Build();
    }
}

/// <summary>Every byte of the text's UTF-8 as a character of <see cref="ByteAlphabet"/>.</summary>
internal sealed class ByteLevelNormalizer : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        var builder = new AlignedBuilder(text);
        builder.PutBytes(0, text.Length);
        return builder.Build();
    }
}

/// <summary>Every match replaced; what stands for it is aligned with the match's last character.</summary>
internal sealed class ReplaceNormalizer(IFinder finder, string content) : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        var found = new List<(int Start, int End)>();
        finder.FindAll(text.Span, found);
        if (found.Count == 0) return text;
        var builder = new AlignedBuilder(text);
        var at = 0;
        foreach (var (start, end) in found)
        {
            builder.Keep(at, start);
            builder.Put(content, end - 1);
            at = end;
        }
        builder.Keep(at, text.Length);
        return builder.Build();
    }
}
