using System.Text;

namespace Graft.Modeling;

/// <summary>
/// Tokens to text, as they come. A token may end in the middle of a character: what is not yet a whole character waits.
/// Bytes that can never become one come out as U+FFFD.
/// </summary>
public sealed class IncrementalDecoder(ITokenizer tokenizer, bool skipSpecialTokens = true)
{
    private readonly Decoder decoder = Encoding.UTF8.GetDecoder();

    /// <summary>What became certain with this token.</summary>
    public string Add(int id) => Convert(tokenizer.BytesOf(id, skipSpecialTokens), flush: false);

    /// <summary>What is left when no token follows.</summary>
    public string Finish() => Convert([], flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        var characters = new char[decoder.GetCharCount(bytes, flush)];
        return new string(characters, 0, decoder.GetChars(bytes, characters, flush));
    }
}
