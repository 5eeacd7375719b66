using System.Globalization;
using System.Text;

namespace Graft.Modeling.Tokenizers.Text;

/// <summary>
/// Unicode Normalization Forms (UAX #15) with, for each code point, what became of the text before it as <see
/// cref="AlignedBuilder.Transform"/> takes it.
/// </summary>
internal sealed class UnicodeNormalization
{
    private const int HangulBase = 0xAC00, LBase = 0x1100, VBase = 0x1161, TBase = 0x11A7, LCount = 19, VCount = 21, TCount = 28;

    private readonly Dictionary<int, byte> classes = [];
    private readonly Dictionary<int, (int[] Points, bool Compatible)> decompositions = [];
    private readonly Dictionary<long, int> compositions = [];

    /// <summary>
    /// For each unit of the Basic Multilingual Plane whether it is in both composed forms as it stands (1: canonical, 2: compatible).
    /// </summary>
    private readonly byte[] settled = new byte[0x10000];

    private UnicodeNormalization()
    {
        using var stream = typeof(UnicodeNormalization).Assembly.GetManifestResourceStream("normalization.txt")!;
        using var reader = new StreamReader(stream, Encoding.ASCII);
        while (reader.ReadLine() is { } line)
            if (line[0] != '#') Add(line.Split(';'));
        var seconds = compositions.Keys.Select(k => (int)(k & uint.MaxValue)).ToHashSet();
        for (var unit = 0; unit < 0x10000; unit++)
            settled[unit] = (byte)((IsSettled(unit, seconds, false) ? 1 : 0) | (IsSettled(unit, seconds, true) ? 2 : 0));
    }

    public static UnicodeNormalization Tables { get; } = new();

    /// <summary>The normalized text as code points with their changes; null when it is in that form as it stands.</summary>
    public List<(int Point, int Change)>? Normalize(ReadOnlySpan<char> text, bool compatible, bool compose)
    {
        if (text.IndexOfAnyExceptInRange('\0', '\x7f') is var first
            && (first < 0 || (compose && AllSettled(text[first..], compatible)))) return null;
        var points = new List<(int Point, int Change)>(text.Length + 16);
        for (var i = 0; i < text.Length;)
        {
            Decompose(AlignedText.PointAt(text, i, out var width), compatible, points, 0);
            i += width;
        }
        Reorder(points);
        return compose ? Compose(points) : points;
    }

    private void Add(string[] fields)
    {
        static int Hex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        var point = Hex(fields[0]);
        if (fields[1] != "0") classes[point] = byte.Parse(fields[1], CultureInfo.InvariantCulture);
        if (fields[2].Length == 0) return;
        int[] parts = [.. fields[3].Split(' ').Select(Hex)];
        decompositions[point] = (parts, fields[2] == "K");
        if (fields[2] == "C") compositions[(long)parts[0] << 32 | (uint)parts[1]] = point;
    }

    private bool AllSettled(ReadOnlySpan<char> text, bool compatible)
    {
        var bit = compatible ? 2 : 1;
        foreach (var unit in text)
            if ((settled[unit] & bit) == 0) return false;
        return true;
    }

    /// <summary>Never changed and never composed with what stands before: a starter that no composition ends with.</summary>
    private bool IsSettled(int point, HashSet<int> seconds, bool compatible)
    {
        if (char.IsSurrogate((char)point) || classes.ContainsKey(point) || seconds.Contains(point)) return false;
        if (point is >= VBase and < VBase + VCount or > TBase and < TBase + TCount) return false;
        if (!decompositions.ContainsKey(point)) return true;
        var points = new List<(int Point, int Change)>();
        Decompose(point, compatible, points, 0);
        Reorder(points);
        return Compose(points) is [var (only, _)] && only == point;
    }

    private void Decompose(int point, bool compatible, List<(int, int)> points, int change)
    {
        if (point is >= HangulBase and < HangulBase + LCount * VCount * TCount)
        {
            var index = point - HangulBase;
            points.Add((LBase + index / (VCount * TCount), change));
            points.Add((VBase + index % (VCount * TCount) / TCount, 1));
            if (index % TCount != 0) points.Add((TBase + index % TCount, 1));
            return;
        }
        if (!decompositions.TryGetValue(point, out var found) || (found.Compatible && !compatible))
        {
            points.Add((point, change));
            return;
        }
        for (var i = 0; i < found.Points.Length; i++) Decompose(found.Points[i], compatible, points, i == 0 ? change : 1);
    }

    private byte ClassOf(int point) => point < 0x300 ? (byte)0 : classes.GetValueOrDefault(point);

    /// <summary>Sorts each run of marks by combining class, stably, with the changes they carry.</summary>
    private void Reorder(List<(int Point, int Change)> points)
    {
        for (var i = 0; i < points.Count; i++)
        {
            if (ClassOf(points[i].Point) == 0) continue;
            var end = i + 1;
            while (end < points.Count && ClassOf(points[end].Point) != 0) end++;
            if (end - i > 1)
            {
                var sorted = points.GetRange(i, end - i).OrderBy(p => ClassOf(p.Point)).ToList();
                for (var k = 0; k < sorted.Count; k++) points[i + k] = sorted[k];
            }
            i = end;
        }
    }

    private List<(int, int)> Compose(List<(int Point, int Change)> points)
    {
        var composed = new List<(int Point, int Change)>(points.Count);
        var (starter, last) = (-1, -1);
        foreach (var (point, change) in points)
        {
            var combining = ClassOf(point);
            // Blocked: something between has the same or a higher class, or is a starter itself.
            if (starter >= 0 && (last < 0 || last < combining) && Pair(composed[starter].Point, point) is { } joined)
            {
                composed[starter] = (joined, composed[starter].Change + change - 1);
                continue;
            }
            if (combining == 0) (starter, last) = (composed.Count, -1);
            else last = combining;
            composed.Add((point, change));
        }
        return composed;
    }

    private int? Pair(int first, int second)
    {
        if (first is >= LBase and < LBase + LCount && second is >= VBase and < VBase + VCount)
            return HangulBase + ((first - LBase) * VCount + second - VBase) * TCount;
        if (first is >= HangulBase and < HangulBase + LCount * VCount * TCount && (first - HangulBase) % TCount == 0
            && second is > TBase and < TBase + TCount)
            return first + second - TBase;
        return compositions.TryGetValue((long)first << 32 | (uint)second, out var joined) ? joined : null;
    }
}
