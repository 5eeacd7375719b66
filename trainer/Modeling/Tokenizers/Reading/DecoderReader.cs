using Graft.Modeling.Tokenizers.Decoders;
using Graft.Modeling.Tokenizers.PreTokenizers;

namespace Graft.Modeling.Tokenizers.Reading;

internal static class DecoderReader
{
    public static TokenDecoder Read(JsonPart part)
    {
        var read = ReadKind(part);
        // Options of the pre-tokenizers of the same names, without meaning here.
        part.RefuseUnknown("add_prefix_space", "trim_offsets", "use_regex", "split", "str_rep");
        return read;
    }

    private static TokenDecoder ReadKind(JsonPart part)
    {
        switch (part.Text("type"))
        {
            case "Sequence":
                TokenDecoder[] parts = [.. part.Objects("decoders").Select(Read)];
                return parts is [var only] ? only : new DecoderSequence(parts);
            case "ByteLevel": return new ByteLevelDecoder();
            case "ByteFallback": return new ByteFallbackDecoder();
            case "Fuse": return new FuseDecoder();
            case "WordPiece": return new WordPieceDecoder(part.TextOr("prefix", "##")!, part.Flag("cleanup", true));
            case "Metaspace":
                return new MetaspaceDecoder(PreTokenizerReader.Character(part, "replacement"),
                    PreTokenizerReader.Scheme(part) != PrependScheme.Never);
            case "BPEDecoder": return new BpeDecoder(part.TextOr("suffix", "</w>")!);
            case "CTC": return new CtcDecoder(part.TextOr("pad_token", "<pad>")!, part.TextOr("word_delimiter_token", "|")!,
                part.Flag("cleanup", true));
            case "Replace": return new ReplaceDecoder(NormalizerReader.Finder(part), part.Text("content"));
            case "Strip":
                var content = part.Text("content");
                if (content.Length != 1) throw part.Bad("content", "is not one character");
                return new StripDecoder(content[0], part.Count("start"), part.Count("stop"));
            case var kind: throw part.Bad($"the decoder '{kind}' is not supported");
        }
    }
}
