using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers.Models;

/// <summary>
/// WordPiece (Wu et al. 2016, arXiv:1609.08144): the longest token that the rest of a word begins with, again and again; a word that
/// cannot be written so, or has too many characters, is unknown as a whole.
/// </summary>
internal sealed class WordPieceModel : TokenModel
{
    private readonly CharTrie trie = new();
    private readonly int unknown, longest, continuing;

    /// <param name="prefix">Stands before tokens that go on with a word.</param>
    public WordPieceModel(Vocabulary vocabulary, int unknown, string prefix, int longest) : base(vocabulary)
    {
        (this.unknown, this.longest) = (unknown, longest);
        for (var id = 0; id < vocabulary.Tokens.Count; id++)
            if (vocabulary.Tokens[id] is { Length: > 0 } token) trie.Add(token, id, replace: true);
        foreach (var unit in prefix)
            if (continuing >= 0) continuing = trie.Next(continuing, unit);
    }

    public override void Encode(ReadOnlySpan<char> piece, TokenSink sink)
    {
        var characters = 0;
        foreach (var unit in piece)
            if (!char.IsLowSurrogate(unit)) characters++;
        if (characters > longest || !IsKnown(piece))
        {
            sink.Add(unknown, 0, piece.Length);
            return;
        }
        for (var at = 0; at < piece.Length;)
        {
            var (id, length) = Next(piece, at);
            sink.Add(id, at, at + length);
            at += length;
        }
    }

    private bool IsKnown(ReadOnlySpan<char> piece)
    {
        for (var at = 0; at < piece.Length;)
        {
            if (Next(piece, at) is not (_, var length and > 0)) return false;
            at += length;
        }
        return true;
    }

    private (int Id, int Length) Next(ReadOnlySpan<char> piece, int at) =>
        at == 0 ? trie.Longest(piece) : continuing < 0 ? (-1, 0) : trie.Longest(piece[at..], continuing);
}

/// <summary>A piece is a token, or unknown.</summary>
internal sealed class WordLevelModel(Vocabulary vocabulary, int? unknown) : TokenModel(vocabulary)
{
    public override void Encode(ReadOnlySpan<char> piece, TokenSink sink) =>
        sink.Add(Vocabulary.Lookup.TryGetValue(piece, out var id) ? id : unknown
            ?? throw new ModelFormatException("tokenizer.json", $"its WordLevel vocabulary has neither '{piece}' nor its unk_token"), 0,
                piece.Length);
}
