using System.Globalization;

namespace Graft.LocalCluster.Kubelet.Logs;

/// <summary>
/// One line of a container's log file, in the form that container runtimes write for the kubelet
/// (kubernetes/design-proposals, kubelet-cri-logging): <c>2026-01-02T03:04:05.1234567Z stdout F text</c>.
/// A line too long for one record comes in parts: tag <c>P</c> for every part but the last.
/// </summary>
internal readonly record struct LogLine(DateTimeOffset Time, string Stream, bool Partial, string Text)
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";

    public static string Prefix(DateTimeOffset time, string stream, bool partial) =>
        $"{time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture)} {stream} {(partial ? 'P' : 'F')} ";

    /// <summary>Reads a line without its line feed; null when it has another form.</summary>
    public static LogLine? Parse(string line)
    {
        var parts = line.Split(' ', 4);
        if (parts.Length < 4 || parts[2] is not ("P" or "F")) return null;
        const DateTimeStyles Style = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        return DateTimeOffset.TryParse(parts[0], CultureInfo.InvariantCulture, Style, out var time)
            ? new LogLine(time, parts[1], parts[2] == "P", parts[3])
            : null;
    }

    /// <summary>The time as <c>kubectl logs --timestamps</c> shows it.</summary>
    public string TimeText => Time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);
}
