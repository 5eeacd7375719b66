using System.Text;

namespace Graft.Modeling.Tokenizers;

/// <summary>
/// GPT-2's way of writing bytes as visible characters, in which byte-level vocabularies are stored: printable Latin-1
/// characters stand for themselves, the other 68 bytes for U+0100 and up.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] OfByte = new char[256];
    private static readonly Dictionary<char, byte> OfCharacter = [];

    static ByteAlphabet()
    {
        var next = 0x100;
        for (var b = 0; b < 256; b++)
        {
            var printable = b is >= 0x21 and <= 0x7e or >= 0xa1 and <= 0xac or >= 0xae;
            OfByte[b] = (char)(printable ? b : next++);
            OfCharacter[OfByte[b]] = (byte)b;
        }
    }

    public static char Character(byte b) => OfByte[b];

    /// <summary>A token's bytes; its UTF-8 where it is not written in this alphabet, as added tokens need not be.</summary>
    public static byte[] Bytes(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < token.Length; i++)
            if (!OfCharacter.TryGetValue(token[i], out bytes[i])) return Encoding.UTF8.GetBytes(token);
        return bytes;
    }
}
