using System.Globalization;
using System.Text;

namespace Graft.Modeling.Tokenizers;

/// <param name="Special">Left out of decoded text, and never part of what a model says.</param>
/// <param name="SingleWord">Only where no letter or digit touches it.</param>
/// <param name="LeftStrip">Takes blanks before it along.</param>
/// <param name="RightStrip">Takes blanks after it along.</param>
internal sealed record AddedToken(
    int Id, string Content, bool Special, bool SingleWord = false, bool LeftStrip = false, bool RightStrip = false, bool Normalized = false);

/// <summary>Finds added tokens in a text: the leftmost first, the longest of those that begin at one place.</summary>
internal sealed class AddedTokens
{
    private readonly Dictionary<char, AddedToken[]> byFirst;
    private readonly System.Buffers.SearchValues<char> firsts;

    public AddedTokens(IEnumerable<AddedToken> tokens)
    {
        byFirst = tokens.Where(t => t.Content.Length > 0).GroupBy(t => t.Content[0])
            .ToDictionary(g => g.Key, g => g.OrderByDescending(t => t.Content.Length).ThenBy(t => t.Id).ToArray());
        firsts = System.Buffers.SearchValues.Create([.. byFirst.Keys]);
    }

    /// <summary>The next added token at or after <paramref name="at"/>, with the blanks it takes; null when there is none.</summary>
    /// <param name="free">Where the text that no earlier token took begins.</param>
    public (AddedToken Token, int Start, int End)? Next(string text, int at, int free)
    {
        while (at < text.Length)
        {
            var found = text.AsSpan(at).IndexOfAny(firsts);
            if (found < 0) return null;
            at += found;
            foreach (var token in byFirst[text[at]])
            {
                if (string.CompareOrdinal(text, at, token.Content, 0, token.Content.Length) != 0) continue;
                var (start, end) = (at, at + token.Content.Length);
                if (token.SingleWord && !StandsAlone(text, start, end)) continue;
                while (token.LeftStrip && start > free && char.IsWhiteSpace(text[start - 1])) start--;
                while (token.RightStrip && end < text.Length && char.IsWhiteSpace(text[end])) end++;
                return (token, start, end);
            }
            at++;
        }
        return null;
    }

    private static bool StandsAlone(string text, int start, int end)
    {
        var before = start == 0 || Rune.DecodeLastFromUtf16(text.AsSpan(0, start), out var left, out _) != System.Buffers.OperationStatus.Done || !IsWord(left);
        var after = end == text.Length || Rune.DecodeFromUtf16(text.AsSpan(end), out var right, out _) != System.Buffers.OperationStatus.Done || !IsWord(right);
        return before && after;
    }

    private static bool IsWord(Rune rune) => Rune.IsLetterOrDigit(rune) || rune.Value == '_'
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
            or UnicodeCategory.ConnectorPunctuation or UnicodeCategory.LetterNumber;
}
