namespace Graft.Modeling.Tokenizers.Patterns;

/// <summary>What a pattern says, before it is made ready for matching.</summary>
internal abstract record PatternTree
{
    /// <summary>
    /// Whether it matches at a place in one way at most, and never nothing at all: sets one after another, so many of each.
    /// </summary>
    public static bool HasOneWay(PatternTree tree) => tree switch
    {
        Set => true,
        Repeat { Inner: Set } repeat => repeat.Least == repeat.Most && repeat.Least > 0,
        Sequence sequence => sequence.Parts.Count > 0 && sequence.Parts.All(HasOneWay),
        _ => false,
    };

    public sealed record Set(CodePoints Points) : PatternTree;

    public sealed record Sequence(IReadOnlyList<PatternTree> Parts) : PatternTree;

    public sealed record Choice(IReadOnlyList<PatternTree> Branches) : PatternTree;

    /// <param name="Most">-1: without limit.</param>
    public sealed record Repeat(PatternTree Inner, int Least, int Most, Greed Greed) : PatternTree;

    /// <summary>Whether something follows, or does not.</summary>
    public sealed record LookAhead(PatternTree Inner, bool Negative) : PatternTree;

    /// <summary>Whether one of a set stands before, or does not.</summary>
    public sealed record LookBehind(CodePoints Points, bool Negative) : PatternTree;

    public sealed record Anchor(AnchorKind Kind) : PatternTree;

    /// <summary>Matches in one way only: what follows cannot make it try another.</summary>
    public sealed record Atomic(PatternTree Inner) : PatternTree;
}

internal enum Greed { Greedy, Lazy, Possessive }

internal enum AnchorKind { LineStart, LineEnd, TextStart, TextEnd, TextEndOrLastLine, WordBoundary, NoWordBoundary }
