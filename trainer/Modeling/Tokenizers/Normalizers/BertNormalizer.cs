using System.Globalization;
using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers.Normalizers;

/// <summary>BERT's cleaning: no control characters, blanks around Chinese characters, no accents, lower case.</summary>
internal sealed class BertNormalizer(bool cleanText, bool handleChinese, bool stripAccents, bool lowercase) : Normalizer
{
    private readonly UnicodeFormNormalizer decompose = new(compatible: false, compose: false);
    private readonly PointNormalizer withoutMarks = PointNormalizer.Without(p =>
        CharacterClasses.CategoryOf(p) == UnicodeCategory.NonSpacingMark);
    private readonly LowercaseNormalizer lower = new();

    private readonly PointNormalizer clean = new(p =>
        p is '\t' or '\n' or '\r' ? ' ' : p is 0 or 0xFFFD || IsControl(p) ? null : CharacterClasses.IsWhiteSpace(p) ? ' ' : p);

    public override AlignedText Apply(AlignedText text)
    {
        if (cleanText) text = clean.Apply(text);
        if (handleChinese) text = Spread(text);
        if (stripAccents) text = withoutMarks.Apply(decompose.Apply(text));
        return lowercase ? lower.Apply(text) : text;
    }

    /// <summary>Unassigned code points stay: the library's table of categories does not have them.</summary>
    private static bool IsControl(int point) => CharacterClasses.IsOther(point)
        && CharacterClasses.CategoryOf(point) != UnicodeCategory.OtherNotAssigned;

    private static AlignedText Spread(AlignedText text)
    {
        var span = text.Span;
        if (span.IndexOfAnyExceptInRange('\0', '\u33ff') < 0) return text;
        var builder = new AlignedBuilder(text);
        for (var i = 0; i < span.Length;)
        {
            var chinese = CharacterClasses.IsChinese(AlignedText.PointAt(span, i, out var width));
            if (chinese) builder.Put(' ', i);
            builder.Keep(i, i + width);
            if (chinese) builder.Put(' ', i);
            i += width;
        }
        return builder.Build();
    }
}
