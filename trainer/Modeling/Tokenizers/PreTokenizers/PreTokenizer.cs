using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers.PreTokenizers;

/// <summary>A text and the ranges of it, in order and none of them empty, that no token spans.</summary>
internal sealed record Pieces(AlignedText Text, List<(int Start, int End)> Ranges)
{
    public static Pieces Whole(AlignedText text) => new(text, text.Length == 0 ? [] : [(0, text.Length)]);
}

/// <summary>Cuts pieces finer, and may rewrite them; each kind is named as in tokenizer.json.</summary>
internal abstract class PreTokenizer
{
    public abstract Pieces Apply(Pieces pieces);

    /// <summary>Whether it asks where in the original text a piece begins.</summary>
    public virtual bool AsksOrigin => false;
}

internal sealed class PreTokenizerSequence(IReadOnlyList<PreTokenizer> parts) : PreTokenizer
{
    public override bool AsksOrigin => parts.Any(p => p.AsksOrigin);

    public override Pieces Apply(Pieces pieces)
    {
        foreach (var part in parts) pieces = part.Apply(pieces);
        return pieces;
    }
}

/// <summary>Pieces of so many code points.</summary>
internal sealed class FixedLengthPreTokenizer(int length) : PreTokenizer
{
    public override Pieces Apply(Pieces pieces)
    {
        var finer = new List<(int Start, int End)>();
        var span = pieces.Text.Span;
        foreach (var (start, end) in pieces.Ranges)
        {
            for (var at = start; at < end;)
            {
                var from = at;
                for (var count = 0; count < length && at < end; count++) at += char.IsHighSurrogate(span[at]) ? 2 : 1;
                finer.Add((from, at));
            }
        }
        return pieces with { Ranges = finer };
    }
}
