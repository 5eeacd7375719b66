using Graft.Modeling.Tokenizers.Patterns;
using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers.PreTokenizers;

/// <summary>What becomes of the parts that are found, and of those between.</summary>
internal enum SplitBehavior { Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous }

/// <summary>Cuts each piece at what a finder finds.</summary>
/// <param name="invert">What lies between is taken as found, and the other way round.</param>
internal sealed class SplitPreTokenizer(IFinder finder, SplitBehavior behavior, bool invert = false) : PreTokenizer
{
    /// <summary>GPT-2's words: contractions, letters, numbers, other signs, each with one blank before; runs of blanks.</summary>
    public const string Gpt2Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    public static SplitPreTokenizer Gpt2() => new(new Pattern(Gpt2Pattern), SplitBehavior.Isolated);

    /// <summary>Words, and runs of other signs; blanks are left out.</summary>
    public static SplitPreTokenizer Whitespace() => new(new PointFinder(
        point => CharacterClasses.IsWord(point) ? 1 : CharacterClasses.IsWhiteSpace(point) ? 0 : 2, runs: true), SplitBehavior.Removed,
            invert: true);

    /// <summary>At blanks, which are left out.</summary>
    public static SplitPreTokenizer WhitespaceSplit() =>
        new(new PointFinder(CharacterClasses.IsWhiteSpace, runs: true), SplitBehavior.Removed);

    public static SplitPreTokenizer Punctuation(SplitBehavior behavior) =>
        new(new PointFinder(CharacterClasses.IsPunctuation, runs: false), behavior);

    public static SplitPreTokenizer Digits(bool individual) =>
        new(new PointFinder(CharacterClasses.IsNumber, runs: false), individual ? SplitBehavior.Isolated : SplitBehavior.Contiguous);

    public override Pieces Apply(Pieces pieces)
    {
        var span = pieces.Text.Span;
        var finer = new List<(int Start, int End)>(pieces.Ranges.Count + span.Length / 4);
        var found = new List<(int Start, int End)>();
        foreach (var (start, end) in pieces.Ranges)
        {
            found.Clear();
            finder.FindAll(span[start..end], found);
            var cuts = new Cuts(finer, finer.Count, behavior);
            var at = start;
            foreach (var (from, to) in found)
            {
                if (start + from > at) cuts.Add(at, start + from, invert);
                if (to > from) cuts.Add(start + from, start + to, !invert);
                at = start + to;
            }
            if (at < end) cuts.Add(at, end, invert);
        }
        return pieces with { Ranges = finer };
    }

    /// <summary>Parts of one piece, joined as the behaviour says.</summary>
    private struct Cuts(List<(int Start, int End)> finer, int first, SplitBehavior behavior)
    {
        private bool previous;

        public void Add(int start, int end, bool found)
        {
            var joins = finer.Count > first && behavior switch
            {
                SplitBehavior.MergedWithPrevious => found && !previous,
                SplitBehavior.MergedWithNext => previous && !found,
                SplitBehavior.Contiguous => found == previous,
                _ => false,
            };
            previous = found;
            if (joins) finer[^1] = (finer[^1].Start, end);
            else if (behavior != SplitBehavior.Removed || !found) finer.Add((start, end));
        }
    }
}
