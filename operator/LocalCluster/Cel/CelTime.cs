using System.Buffers;
using System.Globalization;

namespace Graft.LocalCluster.Cel;

/// <summary>Timestamps in RFC 3339, and durations in Go's form (<c>1h30m</c>, <c>1.5s</c>).</summary>
internal static class CelTime
{
    private const long MostTicks = long.MaxValue / TimeSpan.NanosecondsPerTick;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    private static readonly (string Unit, double Ticks)[] Units =
    [
        ("ns", 0.01), ("us", 10), ("µs", 10), ("ms", TimeSpan.TicksPerMillisecond),
        ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute), ("h", TimeSpan.TicksPerHour),
    ];

    public static DateTimeOffset? ParseTimestamp(string text) => DateTimeOffset.TryParse(
        text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;

    public static TimeSpan? ParseDuration(string text)
    {
        var sign = text.StartsWith('-') ? -1 : 1;
        var rest = text.AsSpan().TrimStart("+-");
        if (rest.IsEmpty)
        {
            return null;
        }
        if (rest is "0")
        {
            return TimeSpan.Zero;
        }
        double ticks = 0;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(Digits);
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            {
                return null;
            }
            rest = rest[digits..];
            var letters = rest.IndexOfAny(Digits);
            var name = (letters < 0 ? rest : rest[..letters]).ToString();
            var unit = Units.FirstOrDefault(u => u.Unit == name);
            if (unit.Unit is null)
            {
                return null;
            }
            ticks += number * unit.Ticks;
            rest = rest[name.Length..];
        }
        return ticks <= MostTicks ? TimeSpan.FromTicks(sign * (long)ticks) : null;
    }

    /// <summary>A duration that Go can count in nanoseconds, which is some 292 years.</summary>
    public static TimeSpan Checked(TimeSpan duration) =>
        Math.Abs(duration.Ticks) <= MostTicks ? duration : throw new CelEvaluationException("integer overflow");

    /// <summary>A duration as <c>string()</c> writes it: seconds with a unit.</summary>
    public static string Text(TimeSpan duration) => duration.TotalSeconds.ToString("0.#########", CultureInfo.InvariantCulture) + "s";

    public static string Text(DateTimeOffset time) =>
        time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
}
