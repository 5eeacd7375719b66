namespace Graft.Benchmarks.Methods;

/// <summary>Finds a place for the label of each point where it covers no other label and no point.</summary>
internal static class LabelLayout
{
    private const double Line = 15, Gap = 9;

    /// <param name="points">In pixels, from the upper left corner.</param>
    /// <param name="widths">Of the labels.</param>
    /// <returns>Of each label the middle of its left edge.</returns>
    public static IReadOnlyList<(double X, double Y)> Place(
        IReadOnlyList<(double X, double Y)> points, IReadOnlyList<double> widths, double width, double height)
    {
        var placed = new (double X, double Y)?[points.Count];
        bool Free(double x, double y, double own)
        {
            if (x < 0 || x + own > width || y < Line / 2 || y > height - Line / 2) return false;
            if (points.Any(p => p.X > x - 6 && p.X < x + own + 6 && Math.Abs(p.Y - y) < Line / 2 + 5)) return false;
            return !Enumerable.Range(0, points.Count).Any(i =>
                placed[i] is { } other && Math.Abs(other.Y - y) < Line && other.X < x + own + 6 && x < other.X + widths[i] + 6);
        }
        // Nearest places first, right of the point before left of it.
        var moves = (from dy in Enumerable.Range(-10, 21) from dx in Enumerable.Range(0, 9) from left in new[] { false, true }
            orderby Math.Abs(dy) * Line + dx * 14 + (left ? 5 : 0)
            select (Across: Gap + dx * 14, Down: dy * Line, Left: left)).ToList();
        foreach (var i in Enumerable.Range(0, points.Count).OrderBy(i => points[i].Y).ThenByDescending(i => points[i].X))
        {
            var (x, y) = points[i];
            placed[i] = moves.Select(m => (X: m.Left ? x - m.Across - widths[i] : x + m.Across, Y: y + m.Down))
                .Where(at => Free(at.X, at.Y, widths[i])).Append((x + Gap, y)).First();
        }
        return [.. placed.Select(p => p!.Value)];
    }
}
