using System.Text;

namespace Graft.Modeling;

/// <summary>Lets text through until one of the stop strings comes. What may be the beginning of one is held back.</summary>
public sealed class StopDetector
{
    private readonly string[] stops;
    private readonly StringBuilder held = new();

    public StopDetector(IEnumerable<string>? stops) => this.stops = [.. (stops ?? []).Where(s => s.Length > 0)];

    /// <summary>A stop string came; nothing is let through any more.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Text that is certain not to be part of a stop string.</summary>
    public string Add(string text)
    {
        if (Stopped) return "";
        if (stops.Length == 0) return text;
        held.Append(text);
        var all = held.ToString();
        var first = stops.Select(s => all.IndexOf(s, StringComparison.Ordinal)).Where(i => i >= 0).DefaultIfEmpty(-1).Min();
        if (first >= 0)
        {
            Stopped = true;
            held.Clear();
            return all[..first];
        }
        var keep = stops.Max(s => Overlap(all, s));
        held.Clear().Append(all, all.Length - keep, keep);
        return all[..^keep];
    }

    /// <summary>What was held back, when no more text follows.</summary>
    public string Finish()
    {
        var rest = held.ToString();
        held.Clear();
        return rest;
    }

    /// <summary>The longest end of the text that a stop string begins with.</summary>
    private static int Overlap(string text, string stop)
    {
        for (var length = Math.Min(text.Length, stop.Length - 1); length > 0; length--)
            if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length))) return length;
        return 0;
    }
}
