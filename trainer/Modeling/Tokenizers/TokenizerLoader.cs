using Graft.Modeling.Tokenizers;
using Graft.Modeling.Tokenizers.Reading;

namespace Graft.Modeling;

/// <summary>Opens a tokenizer without its model.</summary>
public static class TokenizerLoader
{
    /// <param name="path">Of a <c>tokenizer.json</c>.</param>
    /// <exception cref="ModelFormatException">It cannot be read or is not supported.</exception>
    public static ITokenizer Load(string path) => new Tokenizer(TokenizerJson.Read(path));
}
