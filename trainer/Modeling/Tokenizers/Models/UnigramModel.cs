using System.Buffers;
using System.Text;
using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers.Models;

/// <summary>
/// Unigram language model (Kudo 2018, arXiv:1804.10959): of all ways to write a piece in tokens the one with the largest sum of scores,
/// found from left to right (Viterbi). A character that no token covers costs the lowest score less 10; such characters side by side are
/// one token.
/// </summary>
internal sealed class UnigramModel : TokenModel
{
    private const double UnknownPenalty = 10;
    private readonly CharTrie trie = new();
    private readonly double[] scores;
    private readonly int? unknown;
    private readonly int[]? byteIds;
    private readonly double unknownScore;

    public UnigramModel(Vocabulary vocabulary, double[] scores, int? unknown, bool byteFallback) : base(vocabulary)
    {
        (this.scores, this.unknown) = (scores, unknown);
        unknownScore = (scores.Length == 0 ? double.PositiveInfinity : scores.Min()) - UnknownPenalty;
        for (var id = 0; id < vocabulary.Tokens.Count; id++)
            if (vocabulary.Tokens[id] is { Length: > 0 } token) trie.Add(token, id, replace: true);
        if (byteFallback) byteIds = vocabulary.ByteIds();
    }

    public override void Encode(ReadOnlySpan<char> piece, TokenSink sink)
    {
        var size = piece.Length + 1;
        var best = ArrayPool<double>.Shared.Rent(size);
        int[] from = ArrayPool<int>.Shared.Rent(size), ids = ArrayPool<int>.Shared.Rent(size);
        from.AsSpan(0, size).Fill(-1);
        best[0] = 0;
        for (var start = 0; start < piece.Length;)
        {
            var width = char.IsHighSurrogate(piece[start]) ? 2 : 1;
            var single = false;
            for (int node = CharTrie.Root, end = start; end < piece.Length;)
            {
                node = trie.Next(node, piece[end++]);
                if (node < 0) break;
                if (trie.ValueOf(node) is not (var id and >= 0)) continue;
                Offer(start, end, scores[id], id);
                single |= end - start == width;
            }
            if (!single) Offer(start, start + width, unknownScore, unknown ?? throw Missing(piece.Slice(start, width)));
            start += width;
        }
        Walk(piece, from, ids, sink);
        ArrayPool<double>.Shared.Return(best);
        ArrayPool<int>.Shared.Return(from);
        ArrayPool<int>.Shared.Return(ids);

        void Offer(int start, int end, double score, int id)
        {
            var sum = score + best[start];
            if (from[end] >= 0 && sum <= best[end]) return;
            (best[end], from[end], ids[end]) = (sum, start, id);
        }
    }

    private static ModelFormatException Missing(ReadOnlySpan<char> character) =>
        new("tokenizer.json", $"its Unigram vocabulary has no token for '{character}' and no unk_id for unknown characters");

    private void Walk(ReadOnlySpan<char> piece, int[] from, int[] ids, TokenSink sink)
    {
        // The path is known from its end.
        var count = 0;
        for (var end = piece.Length; end > 0; end = from[end]) count++;
        var ends = ArrayPool<int>.Shared.Rent(count);
        for (int end = piece.Length, i = count; end > 0; end = from[end]) ends[--i] = end;
        var start = 0;
        for (var i = 0; i < count; i++)
        {
            var id = ids[ends[i]];
            while (id == unknown && i + 1 < count && ids[ends[i + 1]] == unknown) i++;
            var end = ends[i];
            if (id != unknown) sink.Add(id, start, end);
            else AddUnknown(piece[start..end], start, end, sink);
            start = end;
        }
        ArrayPool<int>.Shared.Return(ends);
    }

    private void AddUnknown(ReadOnlySpan<char> text, int start, int end, TokenSink sink)
    {
        if (Vocabulary.Lookup.TryGetValue(text, out var id)) sink.Add(id, start, end);
        else if (byteIds is null || !AddBytes(text, start, end, sink)) sink.Add(unknown!.Value, start, end, sink.Detailed ? text.ToString()
            : null);
    }

    private bool AddBytes(ReadOnlySpan<char> text, int start, int end, TokenSink sink)
    {
        var bytes = Encoding.UTF8.GetBytes(text.ToArray());
        if (Array.Exists(bytes, b => byteIds![b] < 0)) return false;
        foreach (var b in bytes) sink.Add(byteIds![b], start, end);
        return true;
    }
}
