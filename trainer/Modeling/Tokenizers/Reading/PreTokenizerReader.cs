using Graft.Modeling.Tokenizers.Patterns;
using Graft.Modeling.Tokenizers.PreTokenizers;

namespace Graft.Modeling.Tokenizers.Reading;

internal static class PreTokenizerReader
{
    public static PreTokenizer Read(JsonPart part)
    {
        var read = ReadKind(part);
        part.RefuseUnknown();
        return read;
    }

    private static PreTokenizer ReadKind(JsonPart part)
    {
        switch (part.Text("type"))
        {
            case "Sequence": return new PreTokenizerSequence([.. part.Objects("pretokenizers").Select(Read)]);
            case "ByteLevel":
                // Offsets are trimmed by the post-processor of that name; here the flag does nothing.
                part.Flag("trim_offsets");
                return new ByteLevelPreTokenizer(part.Flag("add_prefix_space", true), part.Flag("use_regex", true));
            case "Split": return new SplitPreTokenizer(NormalizerReader.Finder(part), part.Choice<SplitBehavior>("behavior"),
                part.Flag("invert"));
            case "Whitespace": return SplitPreTokenizer.Whitespace();
            case "WhitespaceSplit": return SplitPreTokenizer.WhitespaceSplit();
            case "Punctuation": return SplitPreTokenizer.Punctuation(part.Choice<SplitBehavior>("behavior", SplitBehavior.Isolated));
            case "Digits": return SplitPreTokenizer.Digits(part.Flag("individual_digits"));
            case "BertPreTokenizer":
                return new PreTokenizerSequence([SplitPreTokenizer.WhitespaceSplit(),
                    SplitPreTokenizer.Punctuation(SplitBehavior.Isolated)]);
            case "CharDelimiterSplit": return new SplitPreTokenizer(new LiteralFinder(Character(part, "delimiter")), SplitBehavior.Removed);
            case "FixedLength": return new FixedLengthPreTokenizer(part.Number("length") is { } length and > 0 ? length
                : throw part.Bad("length", "is not above 0"));
            case "Metaspace": return Metaspace(part);
            case var kind: throw part.Bad($"the pre-tokenizer '{kind}' is not supported");
        }
    }

    private static MetaspacePreTokenizer Metaspace(JsonPart part)
    {
        var sign = Character(part, "replacement");
        part.TextOr("str_rep", null);
        return new MetaspacePreTokenizer(sign, Scheme(part), part.Flag("split", true));
    }

    /// <summary><c>prepend_scheme</c>, or the flag that older files have.</summary>
    public static PrependScheme Scheme(JsonPart part)
    {
        var scheme = part.Choice<PrependScheme>("prepend_scheme", part.Flag("add_prefix_space", true) ? PrependScheme.Always
            : PrependScheme.Never);
        if (scheme != PrependScheme.Never && !part.Flag("add_prefix_space", true))
            throw part.Bad("add_prefix_space", $"is false, but prepend_scheme is {scheme}");
        return scheme;
    }

    public static string Character(JsonPart part, string name) =>
        part.Text(name) is var text && new System.Globalization.StringInfo(text).LengthInTextElements == 1 ? text
            : throw part.Bad(name, "is not one character");
}
