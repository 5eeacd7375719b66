using System.Collections.Frozen;
using System.Text;

namespace Graft.Modeling.Tokenizers;

/// <summary>
/// GPT-2's way of writing bytes as visible characters, in which byte-level vocabularies are stored: printable Latin-1 characters stand
/// for themselves, the other 68 bytes for U+0100 and up.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] OfByte = Letters();
    private static readonly FrozenDictionary<char, byte> OfCharacter = Enumerable.Range(0, 256)
        .ToFrozenDictionary(b => OfByte[b], b => (byte)b);

    /// <summary>What a blank is written as.</summary>
    public const char Blank = '\u0120';

    public static char Character(byte b) => OfByte[b];

    /// <summary>The byte that a character stands for; -1 when it is not of this alphabet.</summary>
    public static int ByteOf(char character) => OfCharacter.TryGetValue(character, out var b) ? b : -1;

    /// <summary>A token's bytes; its UTF-8 where it is not written in this alphabet, as added tokens need not be.</summary>
    public static byte[] Bytes(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < token.Length; i++)
            if (!OfCharacter.TryGetValue(token[i], out bytes[i])) return Encoding.UTF8.GetBytes(token);
        return bytes;
    }

    private static char[] Letters()
    {
        var (letters, next) = (new char[256], 0x100);
        for (var b = 0; b < 256; b++) letters[b] = (char)(b is >= 0x21 and <= 0x7e or >= 0xa1 and <= 0xac or >= 0xae ? b : next++);
        return letters;
    }
}
