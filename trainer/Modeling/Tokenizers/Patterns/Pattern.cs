namespace Graft.Modeling.Tokenizers.Patterns;

/// <summary>
/// A regular expression of a tokenizer file, matched over code points: .NET's own matches UTF-16 units, whose classes know surrogates
/// where these mean the characters beyond the Basic Multilingual Plane. Backtracking, in a bounded number of steps.
/// </summary>
internal sealed class Pattern : IFinder
{
    private const int MostNodes = 20_000;
    private readonly PatternNode start;
    private readonly Dictionary<CodePoints, CodePointSet> sets = [];
    private int nodes;

    /// <exception cref="PatternException">It cannot be read or is not supported.</exception>
    public Pattern(string source)
    {
        Source = source;
        start = Build(PatternParser.Parse(source), new EndNode());
        sets.Clear();
    }

    public string Source { get; }

    /// <summary>
    /// Adds all matches that do not overlap, from left to right; empty ones too, but none right at the end of one before.
    /// </summary>
    /// <exception cref="PatternException">It would take too long.</exception>
    public void FindAll(ReadOnlySpan<char> text, List<(int Start, int End)> found)
    {
        var matching = new Matching(text);
        var first = start.First;
        var last = -1;
        for (var at = 0; at <= text.Length;)
        {
            var possible = at == text.Length || (text[at] < 128 ? first.Ascii[text[at]] : first.Other);
            var end = possible ? start.Match(ref matching, at) : -1;
            if (end > at)
            {
                found.Add((at, end));
                last = at = end;
                continue;
            }
            if (end == at && at != last) found.Add((at, at));
            at += at < text.Length && char.IsHighSurrogate(text[at]) ? 2 : 1;
        }
    }

    private PatternNode Build(PatternTree tree, PatternNode next)
    {
        if (++nodes > MostNodes) throw new PatternException("is too large");
        switch (tree)
        {
            case PatternTree.Set set: return new SetNode(SetOf(set.Points), next);
            case PatternTree.Sequence sequence:
                for (var i = sequence.Parts.Count - 1; i >= 0; i--) next = Build(sequence.Parts[i], next);
                return next;
            case PatternTree.Choice choice: return new ChoiceNode([.. choice.Branches.Select(b => Build(b, next))]);
            case PatternTree.Repeat repeat: return Build(repeat, next);
            case PatternTree.LookAhead look: return new ProbeNode(Build(look.Inner, new EndNode()), look.Negative, false, next);
            case PatternTree.Atomic atomic: return new ProbeNode(Build(atomic.Inner, new EndNode()), false, true, next);
            case PatternTree.LookBehind look: return new BehindNode(SetOf(look.Points), look.Negative, next);
            case PatternTree.Anchor anchor: return new AnchorNode(anchor.Kind, next);
            default: throw new PatternException($"has a part of the kind {tree.GetType().Name}, which is not supported");
        }
    }

    private PatternNode Build(PatternTree.Repeat repeat, PatternNode next)
    {
        if (repeat.Inner is PatternTree.Set set)
        {
            return repeat.Greed == Greed.Lazy
                ? new LazyNode(SetOf(set.Points), repeat.Least, repeat.Most, next)
                : new GreedyNode(SetOf(set.Points), repeat.Least, repeat.Most, repeat.Greed == Greed.Possessive, next);
        }
        if (repeat.Greed == Greed.Possessive) return Build(new PatternTree.Atomic(repeat with { Greed = Greed.Greedy }), next);
        if (repeat.Most < 0 && repeat.Greed == Greed.Greedy) return new RoundsNode(Build(repeat.Inner, new EndNode()), repeat.Least, next);
        if (repeat.Most < 0) throw new PatternException("repeating a group without limit as seldom as possible is not supported");
        // Optional rounds nest: each is there with the ones after it, or none of them is.
        var end = next;
        for (var i = repeat.Least; i < repeat.Most; i++)
        {
            var round = Build(repeat.Inner, next);
            next = new ChoiceNode(repeat.Greed == Greed.Lazy ? [end, round] : [round, end]);
        }
        for (var i = 0; i < repeat.Least; i++) next = Build(repeat.Inner, next);
        return next;
    }

    private CodePointSet SetOf(CodePoints points)
    {
        if (!sets.TryGetValue(points, out var set)) sets[points] = set = new CodePointSet(points);
        return set;
    }
}
