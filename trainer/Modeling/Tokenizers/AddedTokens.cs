using System.Buffers;
using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers;

/// <param name="Special">Left out of decoded text, and never part of what a model says.</param>
/// <param name="SingleWord">Only where no letter or digit touches it.</param>
/// <param name="LeftStrip">Takes blanks before it along.</param>
/// <param name="RightStrip">Takes blanks after it along.</param>
/// <param name="Normalized">Found in the normalized text, by its own normalized form.</param>
internal sealed record AddedToken(
    int Id, string Content, bool Special, bool SingleWord = false, bool LeftStrip = false, bool RightStrip = false,
        bool Normalized = false);

/// <summary>Finds added tokens in a text: the leftmost first, the longest of those that begin at one place.</summary>
internal sealed class AddedTokens
{
    private readonly IReadOnlyList<AddedToken> tokens;
    private readonly CharTrie trie = new();
    private readonly SearchValues<char> firsts;

    /// <param name="normalize">What a token is looked for as.</param>
    public AddedTokens(IReadOnlyList<AddedToken> tokens, Func<string, string>? normalize = null)
    {
        this.tokens = tokens;
        var units = new HashSet<char>();
        for (var i = 0; i < tokens.Count; i++)
        {
            var content = normalize is null ? tokens[i].Content : normalize(tokens[i].Content);
            if (content.Length == 0) continue;
            trie.Add(content, i);
            units.Add(content[0]);
        }
        firsts = SearchValues.Create([.. units]);
    }

    /// <summary>Parts of a text, in order: each an added token, or text between (null).</summary>
    public List<(AddedToken? Token, int Start, int End)> Split(ReadOnlySpan<char> text)
    {
        var parts = new List<(AddedToken?, int, int)>();
        var free = 0;
        for (var at = 0; at < text.Length;)
        {
            var found = text[at..].IndexOfAny(firsts);
            if (found < 0) break;
            at += found;
            var (index, length) = trie.Longest(text[at..]);
            if (index < 0)
            {
                at++;
                continue;
            }
            // What follows is looked for behind this one, even where it does not count.
            var (token, start, end) = (tokens[index], at, at + length);
            at = end;
            if (token.SingleWord && !StandsAlone(text, start, end)) continue;
            while (token.LeftStrip && start > free && char.IsWhiteSpace(text[start - 1])) start--;
            while (token.RightStrip && end < text.Length && char.IsWhiteSpace(text[end])) end++;
            if (free < start) parts.Add((null, free, start));
            parts.Add((token, start, end));
            free = end;
        }
        if (free < text.Length) parts.Add((null, free, text.Length));
        return parts;
    }

    private static bool StandsAlone(ReadOnlySpan<char> text, int start, int end)
    {
        var before = start > 1 && char.IsLowSurrogate(text[start - 1]) ? start - 2 : start - 1;
        return (before < 0 || !CharacterClasses.IsWord(AlignedText.PointAt(text, before, out _)))
            && (end == text.Length || !CharacterClasses.IsWord(AlignedText.PointAt(text, end, out _)));
    }
}
