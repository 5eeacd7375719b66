using Graft.Modeling;

namespace Graft.Trainer.Data;

/// <summary>An answer within a text, in UTF-16 units.</summary>
/// <param name="HasEnd">The text has the token that ends it, as its last; otherwise the end token is put behind it.</param>
internal readonly record struct AnswerSpan(int Start, int End, bool HasEnd);

/// <summary>Finds where answers end in what a template writes.</summary>
internal sealed class AnswerEnds(ITokenizer tokenizer)
{
    private readonly string[] texts =
        [.. tokenizer.EndOfGenerationIds.Select(id => tokenizer.Decode([id], skipSpecialTokens: false)).Where(t => t.Length > 0)];

    /// <summary>
    /// An answer up to the token that ends it; a template may add a line break after that, which nobody generates.
    /// </summary>
    /// <param name="text">Ends with the answer.</param>
    /// <param name="start">Where the answer begins.</param>
    public AnswerSpan Span(string text, int start)
    {
        var end = -1;
        foreach (var token in texts)
        {
            var at = text.AsSpan(start).LastIndexOf(token, StringComparison.Ordinal);
            if (at >= 0) end = Math.Max(end, start + at + token.Length);
        }
        return end < 0 ? new(start, text.Length, HasEnd: false) : new(start, end, HasEnd: true);
    }
}

/// <summary>Tokens of a text with answers in it.</summary>
internal static class MaskedText
{
    /// <param name="spans">In order.</param>
    /// <param name="endId">Put behind answers whose text has no end.</param>
    /// <param name="addSpecialTokens">Also adds what the tokenizer puts before a text; what it puts behind gives way to the end token.</param>
    /// <returns>One entry a token in both lists; supervised are those of the answers.</returns>
    public static (List<int> Ids, List<bool> Supervised) Encode(
        ITokenizer tokenizer, string text, IReadOnlyList<AnswerSpan> spans, int endId, bool addSpecialTokens = false)
    {
        var encoding = tokenizer.EncodeDetailed(text, addSpecialTokens: addSpecialTokens);
        var first = encoding.SpecialTokensMask.TakeWhile(m => m == 1).Count();
        var count = encoding.SpecialTokensMask.Skip(first).TakeWhile(m => m == 0).Count();
        List<(int Start, int End)> offsets = [.. encoding.Offsets.Skip(first).Take(count)];
        List<AnswerSpan> places = [.. InCodePoints(text, spans)];
        var learnt = new RenderedChat(text, [.. places.Select(p => (p.Start, p.End))]).Mask(offsets);

        List<int> ids = [.. encoding.Ids.Take(first)];
        List<bool> supervised = [.. ids.Select(_ => false)];
        var next = 0;
        for (var i = 0; i <= count; i++)
        {
            for (; next < places.Count && (i == count || offsets[i].Start >= places[next].End); next++)
                if (!places[next].HasEnd) Add(endId, learn: true);
            if (i < count) Add(encoding.Ids[first + i], learnt[i]);
        }
        return (ids, supervised);

        void Add(int id, bool learn)
        {
            ids.Add(id);
            supervised.Add(learn);
        }
    }

    /// <summary>
    /// As the offsets of tokens count. The last answer reaches to the end of the text, behind which a blank may lie that tokenizers leave out
    /// of their offsets.
    /// </summary>
    private static IEnumerable<AnswerSpan> InCodePoints(string text, IReadOnlyList<AnswerSpan> spans)
    {
        var (units, points) = (0, 0);
        for (var i = 0; i < spans.Count; i++)
        {
            var start = To(spans[i].Start);
            var end = To(spans[i].End);
            yield return spans[i] with { Start = start, End = spans[i].End == text.Length ? end + 1 : end };
        }

        int To(int place)
        {
            foreach (var _ in text.AsSpan(units, place - units).EnumerateRunes()) points++;
            units = place;
            return points;
        }
    }
}
