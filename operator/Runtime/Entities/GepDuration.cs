using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Graft.Runtime;

/// <summary>Durations as GEP-2257 writes them: one to four parts of up to five digits with the units h, m, s and ms.</summary>
public static partial class GepDuration
{
    public const string Pattern = "^([0-9]{1,5}(h|m|s|ms)){1,4}$";

    /// <exception cref="FormatException">The text is no such duration; the message says what would be right.</exception>
    public static TimeSpan Parse(string text) =>
        TryParse(text, out var value) ? value : throw new FormatException($"'{text}' is no duration; write it like 90s, 10m, 1h30m or 500ms.");

    public static bool TryParse(string? text, out TimeSpan value)
    {
        value = TimeSpan.Zero;
        if (text is null || !Form().IsMatch(text))
            return false;
        foreach (Match part in Part().Matches(text))
        {
            var number = int.Parse(part.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            value += part.Groups[2].Value switch
            {
                "h" => TimeSpan.FromHours(number),
                "m" => TimeSpan.FromMinutes(number),
                "s" => TimeSpan.FromSeconds(number),
                _ => TimeSpan.FromMilliseconds(number),
            };
        }

        return true;
    }

    /// <summary>The shortest form, to the millisecond; negative spans are zero.</summary>
    public static string Format(TimeSpan value)
    {
        if (value.TotalMilliseconds < 1)
            return "0s";
        var text = new StringBuilder();
        void Part(long number, string unit) => _ = number > 0 ? text.Append(CultureInfo.InvariantCulture, $"{number}{unit}") : text;
        Part((long)value.TotalHours, "h");
        Part(value.Minutes, "m");
        Part(value.Seconds, "s");
        Part(value.Milliseconds, "ms");
        return text.ToString();
    }

    [GeneratedRegex("^(?:[0-9]{1,5}(?:h|ms|m|s)){1,4}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();

    [GeneratedRegex("([0-9]{1,5})(h|ms|m|s)", RegexOptions.CultureInvariant)]
    private static partial Regex Part();
}
