using System.Text;

namespace Graft.Modeling;

/// <summary>
/// Tokens to text, as they come. A token may end in the middle of a character: what is not yet a whole character waits. Bytes that can
/// never become one come out as U+FFFD. All parts together are what <see cref="ITokenizer.Decode"/> gives for all tokens, as far as that
/// does not change at a distance.
/// </summary>
public sealed class IncrementalDecoder(ITokenizer tokenizer, bool skipSpecialTokens = true)
{
    private readonly Decoder decoder = Encoding.UTF8.GetDecoder();

    /// <summary>Where tokens depend on those beside them: what was said last and what waits.</summary>
    private readonly List<int> window = [];
    private string said = "";
    private int saidTokens;

    /// <summary>What became certain with this token.</summary>
    public string Add(int id)
    {
        if (tokenizer.JoinsBytes) return Convert(tokenizer.BytesOf(id, skipSpecialTokens), flush: false);
        window.Add(id);
        var text = tokenizer.Decode(window, skipSpecialTokens);
        // A character whose bytes are not complete shows as U+FFFD, and so does what may still become one.
        return text.EndsWith('\ufffd') ? "" : Say(text);
    }

    /// <summary>What is left when no token follows.</summary>
    public string Finish() => tokenizer.JoinsBytes ? Convert([], flush: true) : Say(tokenizer.Decode(window, skipSpecialTokens));

    private string Say(string text)
    {
        var more = text.StartsWith(said, StringComparison.Ordinal) ? text[said.Length..] : "";
        if (more.Length == 0) return "";
        // The tokens that were said last stay as the context of those to come.
        window.RemoveRange(0, saidTokens);
        saidTokens = window.Count;
        said = tokenizer.Decode(window, skipSpecialTokens);
        return more;
    }

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        var characters = new char[decoder.GetCharCount(bytes, flush)];
        return new string(characters, 0, decoder.GetChars(bytes, characters, flush));
    }
}
