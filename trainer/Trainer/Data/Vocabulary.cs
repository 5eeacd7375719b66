using Graft.Modeling;
using Graft.Trainer.Runs;

namespace Graft.Trainer.Data;

internal static class Vocabulary
{
    /// <exception cref="RunFailedException">The model has no embedding for a token.</exception>
    public static void Check(ITokenizer tokenizer, IReadOnlyList<int> ids, int vocabularySize, Origin origin)
    {
        foreach (var id in ids)
        {
            if (id < vocabularySize) continue;
            throw RunFailedException.Dataset($"{origin.File} line {origin.Line}: it holds "
                + $"'{tokenizer.Decode([id], skipSpecialTokens: false)}', a token with the id {id}, "
                + $"and the model has an embedding for only {vocabularySize}; take it out of the text");
        }
    }
}
