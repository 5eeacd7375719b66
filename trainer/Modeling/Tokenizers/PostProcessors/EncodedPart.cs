namespace Graft.Modeling.Tokenizers.PostProcessors;

/// <summary>Tokens of one text, or tokens put in around texts.</summary>
/// <param name="Offsets">Empty, as <paramref name="Texts"/>, where only ids are wanted.</param>
internal sealed record EncodedPart(List<int> Ids, List<string> Texts, List<(int Start, int End)> Offsets, int TypeId, bool IsSpecial)
{
    public static EncodedPart Special(IReadOnlyList<int> ids, IReadOnlyList<string> texts, int typeId) =>
        new([.. ids], [.. texts], [.. ids.Select(_ => (0, 0))], typeId, true);
}

/// <summary>Trims offsets, and puts tokens around one text or a pair; each kind is named as in tokenizer.json.</summary>
internal abstract class PostProcessor
{
    /// <param name="parts">One or two texts at first; what processors before made of them later.</param>
    public abstract List<EncodedPart> Apply(List<EncodedPart> parts, bool addSpecialTokens);
}

internal sealed class PostProcessorSequence(IReadOnlyList<PostProcessor> processors) : PostProcessor
{
    public override List<EncodedPart> Apply(List<EncodedPart> parts, bool addSpecialTokens)
    {
        foreach (var processor in processors) parts = processor.Apply(parts, addSpecialTokens);
        return parts;
    }
}

/// <summary>ByteLevel: offsets without the blanks that tokens begin and end with.</summary>
internal sealed class ByteLevelPostProcessor(bool trimOffsets, bool prefixSpace) : PostProcessor
{
    public override List<EncodedPart> Apply(List<EncodedPart> parts, bool addSpecialTokens)
    {
        if (trimOffsets)
            foreach (var part in parts) Trim(part, prefixSpace);
        return parts;
    }

    /// <param name="prefixSpace">The first token may begin with one blank that is not of the text.</param>
    public static void Trim(EncodedPart part, bool prefixSpace)
    {
        for (var i = 0; i < part.Offsets.Count; i++)
        {
            var (text, (start, end)) = (part.Texts[i], part.Offsets[i]);
            int leading = 0, trailing = 0;
            while (leading < text.Length && IsBlank(text[leading])) leading++;
            while (trailing < text.Length && IsBlank(text[^(trailing + 1)])) trailing++;
            if (leading > 0)
            {
                if ((i == 0 || start == 0) && prefixSpace && leading == 1) leading = 0;
                start = Math.Min(start + leading, end);
            }
            if (trailing > 0 && end >= trailing) end = Math.Max(end - trailing, start);
            part.Offsets[i] = (start, end);
        }
    }

    private static bool IsBlank(char character) => character == ByteAlphabet.Blank || char.IsWhiteSpace(character);
}
