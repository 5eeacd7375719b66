namespace Graft.Trainer.Tokenizers;

/// <summary>GPT-2's printable letter for every byte: its own character where that is visible, else one from U+0100 on.</summary>
internal static class ByteAlphabet
{
    private static readonly char[] Letters = Make();

    /// <summary>The 256 letters in the order of their code points, which is the order of their token ids.</summary>
    public static IEnumerable<char> Order => Letters.Order();

    public static string Write(ReadOnlySpan<byte> bytes)
    {
        var text = new char[bytes.Length];
        for (var i = 0; i < bytes.Length; i++) text[i] = Letters[bytes[i]];
        return new string(text);
    }

    private static char[] Make()
    {
        var letters = new char[256];
        var next = (char)0x100;
        for (var b = 0; b < 256; b++)
            letters[b] = b is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE ? (char)b : next++;
        return letters;
    }
}
