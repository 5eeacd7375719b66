using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers.Patterns;

/// <summary>A text being matched, and how much longer it may take.</summary>
internal ref struct Matching(ReadOnlySpan<char> text)
{
    public readonly ReadOnlySpan<char> Text = text;

    /// <summary>Published patterns need a few steps a unit; what needs thousands grows without bound.</summary>
    private long left = 1_000_000 + Math.Min(20_000L * text.Length, 1_000_000_000);

    /// <exception cref="PatternException">The pattern backtracks without end.</exception>
    public void Step()
    {
        if (--left < 0) throw new PatternException("takes too long on this text: it backtracks");
    }
}

/// <summary>Units that a match may begin with, to leave out what cannot match.</summary>
internal sealed class FirstUnits
{
    public bool[] Ascii { get; } = new bool[128];
    public bool Other { get; private set; }

    public void Add(CodePointSet set)
    {
        for (var unit = 0; unit < 128; unit++) Ascii[unit] |= set.ContainsUnit((char)unit);
        Other = true;
    }

    public void Add(FirstUnits other)
    {
        for (var unit = 0; unit < 128; unit++) Ascii[unit] |= other.Ascii[unit];
        Other |= other.Other;
    }

    public void AddAll()
    {
        Array.Fill(Ascii, true);
        Other = true;
    }
}

/// <summary>A part of a pattern together with all that comes after it.</summary>
internal abstract class PatternNode
{
    private FirstUnits? first;

    /// <summary>Where the match ends that begins here; -1 when there is none.</summary>
    public abstract int Match(ref Matching matching, int at);

    public FirstUnits First => first ??= FindFirst();

    protected abstract FirstUnits FindFirst();

    protected static FirstUnits Of(CodePointSet set, PatternNode? orElse = null)
    {
        var units = new FirstUnits();
        units.Add(set);
        if (orElse is not null) units.Add(orElse.First);
        return units;
    }
}

internal sealed class EndNode : PatternNode
{
    public override int Match(ref Matching matching, int at) => at;

    protected override FirstUnits FindFirst()
    {
        var units = new FirstUnits();
        units.AddAll();
        return units;
    }
}

internal sealed class SetNode(CodePointSet set, PatternNode next) : PatternNode
{
    public override int Match(ref Matching matching, int at) =>
        set.WidthAt(matching.Text, at) is var width and > 0 ? next.Match(ref matching, at + width) : -1;

    protected override FirstUnits FindFirst() => Of(set);
}

/// <summary>As many as possible of a set, then fewer.</summary>
internal sealed class GreedyNode(CodePointSet set, int least, int most, bool possessive, PatternNode next) : PatternNode
{
    public override int Match(ref Matching matching, int at)
    {
        var (count, end, enough) = (0, at, at);
        while (count != most && set.WidthAt(matching.Text, end) is var width and > 0)
        {
            end += width;
            if (++count == least) enough = end;
        }
        if (count < least) return -1;
        while (true)
        {
            matching.Step();
            var found = next.Match(ref matching, end);
            if (found >= 0 || possessive || end == enough) return found;
            end--;
            if (char.IsLowSurrogate(matching.Text[end])) end--;
        }
    }

    protected override FirstUnits FindFirst() => Of(set, least == 0 ? next : null);
}

/// <summary>As few as possible of a set, then more.</summary>
internal sealed class LazyNode(CodePointSet set, int least, int most, PatternNode next) : PatternNode
{
    public override int Match(ref Matching matching, int at)
    {
        for (var count = 0; ; count++)
        {
            matching.Step();
            if (count >= least && next.Match(ref matching, at) is var found and >= 0) return found;
            if (count == most || set.WidthAt(matching.Text, at) is var width && width == 0) return -1;
            at += width;
        }
    }

    protected override FirstUnits FindFirst() => Of(set, least == 0 ? next : null);
}

/// <summary>As many rounds as possible of what matches in one way, then fewer.</summary>
internal sealed class RoundsNode(PatternNode round, int least, PatternNode next) : PatternNode
{
    public override int Match(ref Matching matching, int at)
    {
        var ends = new Stack<int>([at]);
        while (round.Match(ref matching, ends.Peek()) is var end and >= 0)
        {
            matching.Step();
            ends.Push(end);
        }
        for (; ends.Count > least; ends.Pop())
        {
            matching.Step();
            if (next.Match(ref matching, ends.Peek()) is var found and >= 0) return found;
        }
        return -1;
    }

    protected override FirstUnits FindFirst()
    {
        var units = new FirstUnits();
        units.Add(round.First);
        if (least == 0) units.Add(next.First);
        return units;
    }
}

/// <summary>The first branch that matches with all that comes after it.</summary>
internal sealed class ChoiceNode : PatternNode
{
    private readonly PatternNode[] branches;

    /// <summary>For each ASCII unit, and last for all others and the end, the branches that may begin with it.</summary>
    private readonly PatternNode[][] byFirst = new PatternNode[130][];

    public ChoiceNode(PatternNode[] branches)
    {
        this.branches = branches;
        for (var unit = 0; unit < 128; unit++) byFirst[unit] = [.. branches.Where(b => b.First.Ascii[unit])];
        byFirst[128] = [.. branches.Where(b => b.First.Other)];
        byFirst[129] = branches;
    }

    public override int Match(ref Matching matching, int at)
    {
        matching.Step();
        var unit = at < matching.Text.Length ? Math.Min((int)matching.Text[at], 128) : 129;
        foreach (var branch in byFirst[unit])
            if (branch.Match(ref matching, at) is var found and >= 0) return found;
        return -1;
    }

    protected override FirstUnits FindFirst()
    {
        var units = new FirstUnits();
        foreach (var branch in branches) units.Add(branch.First);
        return units;
    }
}

/// <summary>Goes on where something follows (or does not), without taking it; or having taken it in the one way it matches.</summary>
internal sealed class ProbeNode(PatternNode inner, bool negative, bool takes, PatternNode next) : PatternNode
{
    public override int Match(ref Matching matching, int at)
    {
        var found = inner.Match(ref matching, at);
        if (found >= 0 == negative) return -1;
        return next.Match(ref matching, takes ? found : at);
    }

    protected override FirstUnits FindFirst() => takes ? inner.First : next.First;
}

internal sealed class BehindNode(CodePointSet set, bool negative, PatternNode next) : PatternNode
{
    public override int Match(ref Matching matching, int at)
    {
        var before = at > 1 && char.IsLowSurrogate(matching.Text[at - 1]) ? at - 2 : at - 1;
        return (before >= 0 && set.WidthAt(matching.Text, before) > 0) == negative ? -1 : next.Match(ref matching, at);
    }

    protected override FirstUnits FindFirst() => next.First;
}

internal sealed class AnchorNode(AnchorKind kind, PatternNode next) : PatternNode
{
    public override int Match(ref Matching matching, int at) => Holds(matching.Text, at) ? next.Match(ref matching, at) : -1;

    protected override FirstUnits FindFirst() => next.First;

    private bool Holds(ReadOnlySpan<char> text, int at) => kind switch
    {
        AnchorKind.LineStart => at == 0 || (text[at - 1] == '\n' && at < text.Length),
        AnchorKind.LineEnd => at == text.Length || text[at] == '\n',
        AnchorKind.TextStart => at == 0,
        AnchorKind.TextEnd => at == text.Length,
        AnchorKind.TextEndOrLastLine => at == text.Length || (at == text.Length - 1 && text[at] == '\n'),
        AnchorKind.WordBoundary => IsBoundary(text, at),
        _ => !IsBoundary(text, at),
    };

    private static bool IsBoundary(ReadOnlySpan<char> text, int at)
    {
        var before = at > 1 && char.IsLowSurrogate(text[at - 1]) ? at - 2 : at - 1;
        var left = before >= 0 && CharacterClasses.IsPatternWord(AlignedText.PointAt(text, before, out _));
        return left != (at < text.Length && CharacterClasses.IsPatternWord(AlignedText.PointAt(text, at, out _)));
    }
}
