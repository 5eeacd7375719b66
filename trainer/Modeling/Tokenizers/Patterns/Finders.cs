using Graft.Modeling.Tokenizers.Text;

namespace Graft.Modeling.Tokenizers.Patterns;

/// <summary>Finds places in a text: a pattern, or a text as it is.</summary>
internal interface IFinder
{
    /// <summary>Adds all that do not overlap, from left to right.</summary>
    void FindAll(ReadOnlySpan<char> text, List<(int Start, int End)> found);
}

/// <summary>A text as it is.</summary>
internal sealed class LiteralFinder(string wanted) : IFinder
{
    public void FindAll(ReadOnlySpan<char> text, List<(int Start, int End)> found)
    {
        if (wanted.Length == 0) return;
        for (var at = 0; text[at..].IndexOf(wanted, StringComparison.Ordinal) is var next and >= 0; at += next + wanted.Length)
            found.Add((at + next, at + next + wanted.Length));
    }
}

/// <summary>Code points by a rule: runs of those of one class, or each by itself.</summary>
/// <param name="classOf">0: not looked for.</param>
internal sealed class PointFinder(Func<int, int> classOf, bool runs) : IFinder
{
    public PointFinder(Func<int, bool> rule, bool runs) : this(point => rule(point) ? 1 : 0, runs) { }

    public void FindAll(ReadOnlySpan<char> text, List<(int Start, int End)> found)
    {
        for (var i = 0; i < text.Length;)
        {
            var start = i;
            var first = classOf(AlignedText.PointAt(text, i, out var width));
            i += width;
            if (first == 0) continue;
            while (runs && i < text.Length && classOf(AlignedText.PointAt(text, i, out width)) == first) i += width;
            found.Add((start, i));
        }
    }
}
