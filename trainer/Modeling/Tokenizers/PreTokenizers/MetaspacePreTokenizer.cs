using Graft.Modeling.Tokenizers.Patterns;
using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers.PreTokenizers;

/// <summary>
/// Whether the sign is put before a piece that does not begin with it: never, before all, or only at the text's beginning.
/// </summary>
internal enum PrependScheme { Never, Always, First }

/// <summary>SentencePiece's: a sign for each blank, and pieces that begin with it.</summary>
internal sealed class MetaspacePreTokenizer(string sign, PrependScheme scheme, bool split) : PreTokenizer
{
    private readonly SplitPreTokenizer? words = split ? new SplitPreTokenizer(new LiteralFinder(sign), SplitBehavior.MergedWithNext) : null;

    public override bool AsksOrigin => scheme == PrependScheme.First;

    public override Pieces Apply(Pieces pieces)
    {
        pieces = Replace(pieces);
        if (scheme != PrependScheme.Never)
            pieces = Prefix(pieces, sign, (text, start) => !text.Span[start..].StartsWith(sign, StringComparison.Ordinal)
                && (scheme == PrependScheme.Always || (text.Starts is null ? text.Origin + start : text.Starts[start]) == 0));
        return words is null ? pieces : words.Apply(pieces);
    }

    /// <summary>Puts a text before those pieces that need it.</summary>
    public static Pieces Prefix(Pieces pieces, string prefix, Func<AlignedText, int, bool> needs)
    {
        if (!pieces.Ranges.Exists(r => needs(pieces.Text, r.Start))) return pieces;
        var builder = new AlignedBuilder(pieces.Text);
        var ranges = new List<(int Start, int End)>(pieces.Ranges.Count);
        foreach (var (start, end) in pieces.Ranges)
        {
            var from = builder.Length;
            if (needs(pieces.Text, start)) builder.Put(prefix, start);
            builder.Keep(start, end);
            ranges.Add((from, builder.Length));
        }
        return new Pieces(builder.Build(), ranges);
    }

    private Pieces Replace(Pieces pieces)
    {
        var span = pieces.Text.Span;
        if (span.IndexOf(' ') < 0) return pieces;
        var builder = new AlignedBuilder(pieces.Text);
        var ranges = new List<(int Start, int End)>(pieces.Ranges.Count);
        foreach (var (start, end) in pieces.Ranges)
        {
            var from = builder.Length;
            for (var at = start; at < end;)
            {
                var blank = span[at..end].IndexOf(' ');
                var stop = blank < 0 ? end : at + blank;
                builder.Keep(at, stop);
                if (blank >= 0) builder.Put(sign, stop++);
                at = stop;
            }
            ranges.Add((from, builder.Length));
        }
        return new Pieces(builder.Build(), ranges);
    }
}
