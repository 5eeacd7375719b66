namespace Graft.Modeling.Tokenizers.Decoders;

/// <summary>A blank before each token but the first, unless it goes on with a word.</summary>
internal sealed class WordPieceDecoder(string prefix, bool cleanup) : TokenDecoder
{
    public override List<string> Apply(List<string> tokens) => [.. tokens.Select((token, i) =>
    {
        if (i > 0) token = token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..] : " " + token;
        return cleanup ? CleanUp(token) : token;
    })];

    /// <summary>Without the blanks that stand before signs and contractions of English.</summary>
    public static string CleanUp(string text)
    {
        foreach (var (from, to) in Contractions) text = text.Replace(from, to, StringComparison.Ordinal);
        return text;
    }

    private static readonly (string, string)[] Contractions =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"),
            (" 's", "'s"),
        (" 've", "'ve"), (" 're", "'re"),
    ];
}

/// <summary>The suffix that ends words as a blank; in the last token as nothing.</summary>
internal sealed class BpeDecoder(string suffix) : TokenDecoder
{
    public override List<string> Apply(List<string> tokens) =>
        [.. tokens.Select((token, i) => suffix.Length == 0 ? token
            : token.Replace(suffix, i == tokens.Count - 1 ? "" : " ", StringComparison.Ordinal))];

    public override byte[] Middle(byte[] token) =>
        System.Text.Encoding.UTF8.GetBytes(Apply([System.Text.Encoding.UTF8.GetString(token), ""])[0]);
}

/// <summary>Connectionist temporal classification: repeated tokens once, without padding, and the sign between words as a blank.</summary>
internal sealed class CtcDecoder(string padding, string delimiter, bool cleanup) : TokenDecoder
{
    public override List<string> Apply(List<string> tokens) => [.. tokens.Where((t, i) => i == 0 || t != tokens[i - 1]).Select(token =>
    {
        if (padding.Length > 0) token = token.Replace(padding, "", StringComparison.Ordinal);
        if (!cleanup) return token;
        token = WordPieceDecoder.CleanUp(token);
        return delimiter.Length == 0 ? token : token.Replace(delimiter, " ", StringComparison.Ordinal);
    }).Where(t => t.Length > 0)];
}
