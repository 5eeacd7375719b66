using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers.PreTokenizers;

/// <summary>GPT-2's: a blank before each piece if asked for, its words if asked for, and then bytes as characters.</summary>
internal sealed class ByteLevelPreTokenizer(bool prefixSpace, bool useRegex) : PreTokenizer
{
    private readonly SplitPreTokenizer? words = useRegex ? SplitPreTokenizer.Gpt2() : null;

    public override Pieces Apply(Pieces pieces)
    {
        if (prefixSpace) pieces = MetaspacePreTokenizer.Prefix(pieces, " ", (text, start) => text.Span[start] != ' ');
        if (words is not null) pieces = words.Apply(pieces);
        var builder = new AlignedBuilder(pieces.Text);
        var ranges = new List<(int Start, int End)>(pieces.Ranges.Count);
        foreach (var (start, end) in pieces.Ranges)
        {
            var from = builder.Length;
            builder.PutBytes(start, end);
            ranges.Add((from, builder.Length));
        }
        return new Pieces(builder.Build(), ranges);
    }
}
