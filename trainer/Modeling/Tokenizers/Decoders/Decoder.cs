using System.Text;
using Graft.Modeling.Tokenizers.Patterns;

namespace Graft.Modeling.Tokenizers.Decoders;

/// <summary>Turns the texts of tokens back into text, each step a list into a list; each kind is named as in tokenizer.json.</summary>
internal abstract class TokenDecoder
{
    public abstract List<string> Apply(List<string> tokens);

    /// <summary>The bytes that one token stands for in the middle of a text, from what the steps before made of it.</summary>
    public virtual byte[] Middle(byte[] token) =>
        Encoding.UTF8.GetBytes(string.Concat(Apply(["x", Encoding.UTF8.GetString(token)]).Skip(1)));
}

internal sealed class DecoderSequence(IReadOnlyList<TokenDecoder> parts) : TokenDecoder
{
    public override List<string> Apply(List<string> tokens)
    {
        foreach (var part in parts) tokens = part.Apply(tokens);
        return tokens;
    }

    public override byte[] Middle(byte[] token)
    {
        var fused = false;
        foreach (var part in parts)
        {
            fused |= part is FuseDecoder;
            // Behind Fuse only the ends of the whole text are stripped.
            if (!fused || part is not StripDecoder) token = part.Middle(token);
        }
        return token;
    }
}

/// <summary>
/// Characters of <see cref="ByteAlphabet"/> back into bytes, and all bytes into one text; what is no UTF-8 becomes U+FFFD.
/// </summary>
internal sealed class ByteLevelDecoder : TokenDecoder
{
    public override List<string> Apply(List<string> tokens)
    {
        var bytes = new List<byte>();
        foreach (var token in tokens) bytes.AddRange(ByteAlphabet.Bytes(token));
        return [Encoding.UTF8.GetString([.. bytes])];
    }

    public override byte[] Middle(byte[] token) => ByteAlphabet.Bytes(Encoding.UTF8.GetString(token));
}

/// <summary>
/// <c>&lt;0xE4&gt;</c> and the like side by side become the text whose bytes they are, or a U+FFFD each where they are none.
/// </summary>
internal sealed class ByteFallbackDecoder : TokenDecoder
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public override List<string> Apply(List<string> tokens)
    {
        var texts = new List<string>(tokens.Count);
        var bytes = new List<byte>();
        foreach (var token in tokens)
        {
            if (ByteOf(token) is { } b)
            {
                bytes.Add(b);
                continue;
            }
            Flush();
            texts.Add(token);
        }
        Flush();
        return texts;

        void Flush()
        {
            if (bytes.Count == 0) return;
            try
            {
                texts.Add(Strict.GetString([.. bytes]));
            }
            catch (DecoderFallbackException)
            {
                texts.AddRange(bytes.Select(_ => "\ufffd"));
            }
            bytes.Clear();
        }
    }

    public override byte[] Middle(byte[] token) => ByteOf(Encoding.UTF8.GetString(token)) is { } b ? [b] : token;

    private static byte? ByteOf(string token) => token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
        && byte.TryParse(token.AsSpan(3, 2), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var b) ? b : null;
}

/// <summary>All tokens as one.</summary>
internal sealed class FuseDecoder : TokenDecoder
{
    public override List<string> Apply(List<string> tokens) => [string.Concat(tokens)];

    public override byte[] Middle(byte[] token) => token;
}

/// <summary>Each token without so many of a character at its ends.</summary>
internal sealed class StripDecoder(char content, int start, int stop) : TokenDecoder
{
    public override List<string> Apply(List<string> tokens) => [.. tokens.Select(Strip)];

    private string Strip(string token)
    {
        var (from, to) = (0, token.Length);
        while (from < start && from < token.Length && token[from] == content) from++;
        while (token.Length - to < stop && to > 0 && token[to - 1] == content) to--;
        return from < to ? token[from..to] : "";
    }
}

/// <summary>Every match in each token replaced.</summary>
internal sealed class ReplaceDecoder(IFinder finder, string content) : TokenDecoder
{
    /// <summary>Rules that double a text again and again are stopped here.</summary>
    private const int LongestText = 1 << 24;

    public override List<string> Apply(List<string> tokens) => [.. tokens.Select(Replace)];

    private string Replace(string token)
    {
        var found = new List<(int Start, int End)>();
        finder.FindAll(token, found);
        if (found.Count == 0) return token;
        var (text, at) = (new StringBuilder(), 0);
        foreach (var (start, end) in found)
        {
            text.Append(token, at, start - at).Append(content);
            if (text.Length > LongestText)
                throw new ModelFormatException("tokenizer.json", $"its decoder makes more than {LongestText} characters of a token");
            at = end;
        }
        return text.Append(token, at, token.Length - at).ToString();
    }
}

/// <summary>
/// The sign of <see cref="PreTokenizers.MetaspacePreTokenizer"/> as a blank; in the first token as nothing where one was put before.
/// </summary>
internal sealed class MetaspaceDecoder(string sign, bool prefixed) : TokenDecoder
{
    public override List<string> Apply(List<string> tokens) =>
        [.. tokens.Select((t, i) => t.Replace(sign, i == 0 && prefixed ? "" : " ", StringComparison.Ordinal))];
}
