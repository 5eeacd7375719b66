using Graft.Modeling;
using Graft.Trainer.Runs;

namespace Graft.Trainer.Data;

/// <summary>
/// Turns texts with labels into tokens: each text with what the tokenizer puts around every text, as transformers' classifiers read it. A
/// text that is too long loses tokens at its end, but not what was put behind it.
/// </summary>
/// <param name="labels">In the order of the head's rows.</param>
/// <param name="maxLength">Longest example in tokens.</param>
/// <param name="vocabularySize">Rows of the model's embedding; added tokens of a tokenizer may lie beyond.</param>
internal sealed class LabelEncoder(ITokenizer tokenizer, IReadOnlyList<string> labels, int maxLength, int vocabularySize) : IRowEncoder
{
    private readonly Dictionary<string, int> numbers =
        labels.Select((l, i) => (Label: l, Number: i)).ToDictionary(l => l.Label, l => l.Number, StringComparer.Ordinal);

    public int Cut { get; private set; }

    public IEnumerable<Example> Encode(Sample sample)
    {
        var row = (LabeledSample)sample;
        var ids = Tokens(row.Text);
        Vocabulary.Check(tokenizer, ids, vocabularySize, row.Origin);
        // A tokenizer that puts nothing around texts makes nothing of an empty one.
        if (ids.Length == 0)
            throw RunFailedException.Dataset($"{row.Origin.File} line {row.Origin.Line}: the text is empty, so it can have no label");
        return [new LabeledExample(ids, numbers[row.Label])];
    }

    public Question? Ask(Sample sample) => null;

    private int[] Tokens(string text)
    {
        var encoding = tokenizer.EncodeDetailed(text, addSpecialTokens: true);
        var over = encoding.Ids.Count - maxLength;
        if (over <= 0) return [.. encoding.Ids];
        Cut++;
        var behind = encoding.SpecialTokensMask.Reverse().TakeWhile(m => m == 1).Count();
        var kept = Math.Max(0, encoding.Ids.Count - behind - over);
        return [.. encoding.Ids.Take(kept), .. encoding.Ids.Skip(encoding.Ids.Count - behind)];
    }
}
