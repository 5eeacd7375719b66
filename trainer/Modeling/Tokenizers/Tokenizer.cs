using Graft.Modeling.Tokenizers.Decoders;
using Graft.Modeling.Tokenizers.Models;
using Graft.Modeling.Tokenizers.Normalizers;
using Graft.Modeling.Tokenizers.PostProcessors;
using Graft.Modeling.Tokenizers.PreTokenizers;
using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers;

/// <summary>What a tokenizer is made of, whichever file it came from; the parts are those of tokenizer.json.</summary>
internal sealed record TokenizerDefinition
{
    public Normalizer? Normalizer { get; init; }
    public PreTokenizer? PreTokenizer { get; init; }
    public required TokenModel Model { get; init; }
    public PostProcessor? PostProcessor { get; init; }

    /// <summary>Null: tokens are joined with blanks.</summary>
    public TokenDecoder? Decoder { get; init; }

    public IReadOnlyList<AddedToken> Added { get; init; } = [];
    public Truncation? Truncation { get; init; }
    public Padding? Padding { get; init; }

    /// <summary>Ids alone need to know where in the original a piece begins, which a normalizer may have moved.</summary>
    public bool NeedsAlignment => Normalizer is not null && PreTokenizer?.AsksOrigin == true;

    public int? BosId { get; init; }
    public int? EosId { get; init; }
    public int? PadId { get; init; }
    public IReadOnlySet<int> EndOfGenerationIds { get; init; } = new HashSet<int>();
}

/// <summary>
/// Hugging Face's pipeline: added tokens are taken out, the rest is normalized and cut into pieces, the model makes tokens of each piece,
/// and the post-processor puts others around them.
/// </summary>
internal sealed class Tokenizer : ITokenizer
{
    private readonly AddedTokens plain, normalized;
    private readonly Dictionary<string, int> addedIds = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> addedTexts = [], decodedTexts = [];
    private readonly HashSet<string> special = new(StringComparer.Ordinal);
    private readonly byte[]?[] bytesOf;

    public Tokenizer(TokenizerDefinition definition)
    {
        Definition = definition;
        foreach (var token in definition.Added)
        {
            addedIds[token.Content] = token.Id;
            addedTexts[token.Id] = token.Content;
            decodedTexts[token.Id] = token.Normalized ? Normalize(token.Content) : token.Content;
            if (token.Special) special.Add(token.Content);
        }
        // Special ones come first: of equal contents the first counts.
        var ordered = definition.Added.Where(a => a.Special).Concat(definition.Added.Where(a => !a.Special)).ToList();
        plain = new AddedTokens([.. ordered.Where(a => !a.Normalized)]);
        normalized = new AddedTokens([.. ordered.Where(a => a.Normalized)], Normalize);
        VocabularySize = definition.Added.Select(a => a.Id + 1).Append(definition.Model.Vocabulary.Tokens.Count).Max();
        bytesOf = new byte[]?[VocabularySize];
    }

    internal TokenizerDefinition Definition { get; }

    public int VocabularySize { get; }
    public int? BosId => Definition.BosId;
    public int? EosId => Definition.EosId;
    public int? PadId => Definition.PadId;
    public IReadOnlySet<int> EndOfGenerationIds => Definition.EndOfGenerationIds;
    public bool JoinsBytes => Definition.Decoder is ByteLevelDecoder;

    public int? IdOf(string token) => addedIds.TryGetValue(token, out var id) ? id : Definition.Model.Vocabulary.IdOf(token);

    public string? TokenOf(int id) => addedTexts.TryGetValue(id, out var added) ? added : Definition.Model.Vocabulary.TokenOf(id);

    public ReadOnlySpan<byte> BytesOf(int id, bool skipSpecialTokens = true)
    {
        if ((uint)id >= (uint)bytesOf.Length || DecodedTextOf(id) is not { } token
            || (skipSpecialTokens && special.Contains(token))) return default;
        return bytesOf[id] ??= Definition.Decoder is null ? System.Text.Encoding.UTF8.GetBytes(" " + token)
            : Definition.Decoder.Middle(System.Text.Encoding.UTF8.GetBytes(token));
    }

    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens = false)
    {
        var sink = new TokenSink(detailed: false);
        Run(text, sink, null);
        if (Definition.PostProcessor is null || !addSpecialTokens) return sink.Ids;
        var parts = Definition.PostProcessor.Apply([new EncodedPart(sink.Ids, [], [], 0, false)], addSpecialTokens);
        return parts is [var only] ? only.Ids : [.. parts.SelectMany(p => p.Ids)];
    }

    public TextEncoding EncodeDetailed(string text, string? pair = null, bool addSpecialTokens = false) =>
        EncodeDetailed(text, pair, addSpecialTokens, limited: false);

    /// <param name="limited">Cuts and fills as the file's own sections on truncation and padding say.</param>
    internal TextEncoding EncodeDetailed(string text, string? pair, bool addSpecialTokens, bool limited)
    {
        List<EncodedPart> parts = [Detail(text, 0)];
        if (pair is not null) parts.Add(Detail(pair, 1));
        if (limited && Definition.Truncation is { } truncation)
        {
            var added = addSpecialTokens ? Process(Empty(parts.Count), true).Sum(p => p.Ids.Count) : 0;
            parts = truncation.Apply(parts, added);
        }
        parts = Process(parts, addSpecialTokens);
        var encoding = new TextEncoding(
            [.. parts.SelectMany(p => p.Ids)], [.. parts.SelectMany(p => p.Texts)], [.. parts.SelectMany(p => p.Offsets)],
            [.. parts.SelectMany(p => p.Ids.Select(_ => p.TypeId))], [.. parts.SelectMany(p => p.Ids.Select(_ => p.IsSpecial ? 1 : 0))],
            [.. parts.SelectMany(p => p.Ids.Select(_ => 1))]);
        return limited && Definition.Padding is { } padding ? padding.Apply(encoding) : encoding;
    }

    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = true)
    {
        var tokens = new List<string>();
        foreach (var id in ids)
            if (DecodedTextOf(id) is { } token && !(skipSpecialTokens && special.Contains(token))) tokens.Add(token);
        return Definition.Decoder is { } decoder ? string.Concat(decoder.Apply(tokens)) : string.Join(' ', tokens);
    }

    /// <summary>
    /// A normalized added token is decoded as its normalized form, and left out as special only where that is a special token's text: so
    /// does the tokenizers library.
    /// </summary>
    private string? DecodedTextOf(int id) => decodedTexts.TryGetValue(id, out var added) ? added : Definition.Model.Vocabulary.TokenOf(id);

    private string Normalize(string content) => Definition.Normalizer?.Apply(AlignedText.Of(content, aligned: false)).ToString() ?? content;

    private static List<EncodedPart> Empty(int count) => [.. Enumerable.Range(0, count).Select(i => new EncodedPart([], [], [], i, false))];

    private List<EncodedPart> Process(List<EncodedPart> parts, bool addSpecialTokens) =>
        Definition.PostProcessor?.Apply(parts, addSpecialTokens) ?? parts;

    private EncodedPart Detail(string text, int typeId)
    {
        var sink = new TokenSink(detailed: true);
        var offsets = new List<(int, int)>();
        Run(text, sink, offsets);
        return new EncodedPart(sink.Ids, [.. sink.Texts.Select((t, i) => t ?? TokenOf(sink.Ids[i])!)], offsets, typeId, false);
    }

    private void Run(string text, TokenSink sink, List<(int, int)>? offsets)
    {
        var whole = AlignedText.Of(text, sink.Detailed || Definition.NeedsAlignment);
        foreach (var (token, start, end) in plain.Split(whole.Span))
        {
            if (token is not null) Add(whole, token, start, end, sink, offsets);
            else RunNormalized(whole.Slice(start, end), sink, offsets);
        }
    }

    private void RunNormalized(AlignedText segment, TokenSink sink, List<(int, int)>? offsets)
    {
        var text = Definition.Normalizer?.Apply(segment) ?? segment;
        foreach (var (token, start, end) in normalized.Split(text.Span))
        {
            if (token is not null) Add(text, token, start, end, sink, offsets);
            else RunPieces(Pieces.Whole(text.Slice(start, end)), sink, offsets);
        }
    }

    private void RunPieces(Pieces pieces, TokenSink sink, List<(int, int)>? offsets)
    {
        if (Definition.PreTokenizer is { } pre) pieces = pre.Apply(pieces);
        var span = pieces.Text.Span;
        foreach (var (start, end) in pieces.Ranges)
        {
            sink.Base = start;
            Definition.Model.Encode(span[start..end], sink);
        }
        AddOffsets(pieces.Text, sink, offsets);
    }

    private static void Add(AlignedText text, AddedToken token, int start, int end, TokenSink sink, List<(int, int)>? offsets)
    {
        sink.Base = 0;
        sink.Add(token.Id, start, end, sink.Detailed ? text.Span[start..end].ToString() : null);
        AddOffsets(text, sink, offsets);
    }

    private static void AddOffsets(AlignedText text, TokenSink sink, List<(int, int)>? offsets)
    {
        if (offsets is null) return;
        for (var i = offsets.Count; i < sink.Spans.Count; i++)
        {
            var (start, end) = sink.Spans[i];
            offsets.Add(start < end ? (text.Starts![start], text.Ends![end - 1]) : (text.Origin, text.Origin));
        }
    }
}
