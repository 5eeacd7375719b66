using System.Globalization;

namespace Graft.LocalCluster.Cel;

/// <summary>The parts of timestamps and durations.</summary>
internal static class CelTimes
{
    public static IEnumerable<CelFunction> All() =>
    [
        .. Part("getFullYear", time => time.Year),
        .. Part("getMonth", time => time.Month - 1),
        .. Part("getDate", time => time.Day),
        .. Part("getDayOfMonth", time => time.Day - 1),
        .. Part("getDayOfYear", time => time.DayOfYear - 1),
        .. Part("getDayOfWeek", time => (int)time.DayOfWeek),
        .. Part("getHours", time => time.Hour),
        .. Part("getMinutes", time => time.Minute),
        .. Part("getSeconds", time => time.Second),
        .. Part("getMilliseconds", time => time.Millisecond),
        Part("getHours", span => (long)span.TotalHours),
        Part("getMinutes", span => (long)span.TotalMinutes),
        Part("getSeconds", span => (long)span.TotalSeconds),
        Part("getMilliseconds", span => span.Milliseconds),
        new("_+_", false, [CelKind.Duration, CelKind.Timestamp], _ => CelType.Timestamp, a => (DateTimeOffset)a[1]! + (TimeSpan)a[0]!),
    ];

    private static IEnumerable<CelFunction> Part(string name, Func<DateTimeOffset, int> part)
    {
        yield return new(name, true, [CelKind.Timestamp], _ => CelType.Int, a => (long)part(((DateTimeOffset)a[0]!).ToUniversalTime()));
        yield return new(name, true, [CelKind.Timestamp, CelKind.String], _ => CelType.Int, a => (long)part(In((DateTimeOffset)a[0]!, (string)a[1]!)));
    }

    private static CelFunction Part(string name, Func<TimeSpan, long> part) =>
        new(name, true, [CelKind.Duration], _ => CelType.Int, a => part((TimeSpan)a[0]!));

    /// <summary>The time in a zone of the IANA database, or at an offset like <c>-08:00</c>.</summary>
    private static DateTimeOffset In(DateTimeOffset time, string zone)
    {
        var sign = zone.StartsWith('-') ? -1 : 1;
        if (TimeSpan.TryParseExact(zone.TrimStart('+', '-'), "hh\\:mm", CultureInfo.InvariantCulture, out var offset))
        {
            return time.ToOffset(sign * offset);
        }
        try
        {
            return TimeZoneInfo.ConvertTime(time, TimeZoneInfo.FindSystemTimeZoneById(zone));
        }
        catch (TimeZoneNotFoundException)
        {
            throw new CelEvaluationException($"unknown time zone {zone}");
        }
    }
}
