using Graft.Modeling.Tokenizers.Normalizers;
using Graft.Modeling.Tokenizers.Patterns;

namespace Graft.Modeling.Tokenizers.Reading;

internal static class NormalizerReader
{
    public static Normalizer Read(JsonPart part)
    {
        var read = ReadKind(part);
        part.RefuseUnknown();
        return read;
    }

    private static Normalizer ReadKind(JsonPart part) => part.Text("type") switch
    {
        "Sequence" => new NormalizerSequence([.. part.Objects("normalizers").Select(Read)]),
        "NFC" => new UnicodeFormNormalizer(compatible: false, compose: true),
        "NFD" => new UnicodeFormNormalizer(compatible: false, compose: false),
        "NFKC" => new UnicodeFormNormalizer(compatible: true, compose: true),
        "NFKD" => new UnicodeFormNormalizer(compatible: true, compose: false),
        "Lowercase" => new LowercaseNormalizer(),
        "Strip" => new StripNormalizer(part.Flag("strip_left", true), part.Flag("strip_right", true)),
        "StripAccents" => PointNormalizer.Accents(),
        "Nmt" => PointNormalizer.Nmt(),
        "ByteLevel" => new ByteLevelNormalizer(),
        "Prepend" => new PrependNormalizer(part.Text("prepend")),
        "Replace" => new ReplaceNormalizer(Finder(part), part.Text("content")),
        "BertNormalizer" => Bert(part),
        "Precompiled" => Precompiled(part),
        var kind => throw part.Bad($"the normalizer '{kind}' is not supported"),
    };

    /// <summary><c>pattern</c>: a text as it is, or a regular expression.</summary>
    public static IFinder Finder(JsonPart part)
    {
        var pattern = part.Object("pattern");
        if (pattern.TextOr("String", null) is { } literal) return new LiteralFinder(literal);
        try
        {
            return new Pattern(pattern.Text("Regex"));
        }
        catch (PatternException e)
        {
            throw pattern.Bad("Regex", e.Message);
        }
    }

    private static BertNormalizer Bert(JsonPart part)
    {
        var lowercase = part.Flag("lowercase", true);
        return new BertNormalizer(part.Flag("clean_text", true), part.Flag("handle_chinese_chars", true),
            part.Flag("strip_accents", lowercase), lowercase);
    }

    private static Normalizer Precompiled(JsonPart part)
    {
        // Some files have no map: then nothing is changed.
        if (part.TextOr("precompiled_charsmap", null) is not { Length: > 0 } map) return new NormalizerSequence([]);
        try
        {
            return new PrecompiledNormalizer(Convert.FromBase64String(map));
        }
        catch (FormatException e)
        {
            throw part.Bad("precompiled_charsmap", e.Message);
        }
    }
}
