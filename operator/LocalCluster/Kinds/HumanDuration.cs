using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Kinds;

/// <summary>Ages as kubectl prints them: two units while they are small, one when they are large.</summary>
internal static class HumanDuration
{
    public static string Format(TimeSpan duration)
    {
        var seconds = (long)duration.TotalSeconds;
        if (seconds < -1)
            return "<invalid>";
        if (seconds < 120)
            return $"{Math.Max(seconds, 0)}s";
        var minutes = seconds / 60;
        if (minutes < 10)
            return Two(minutes, "m", seconds % 60, "s");
        if (minutes < 180)
            return $"{minutes}m";
        var hours = minutes / 60;
        if (hours < 8)
            return Two(hours, "h", minutes % 60, "m");
        if (hours < 48)
            return $"{hours}h";
        var days = hours / 24;
        if (days < 8)
            return Two(days, "d", hours % 24, "h");
        if (days < 365 * 2)
            return $"{days}d";
        return days < 365 * 8 ? Two(days / 365, "y", days % 365, "d") : $"{days / 365}y";
    }

    /// <summary>The time since a timestamp of the object, as the cell of a table.</summary>
    public static string Since(JsonNode? timestamp, TimeProvider time) =>
        timestamp.AsTime() is { } at ? Format(time.GetUtcNow() - at) : "<unknown>";

    private static string Two(long large, string unit, long small, string smallUnit) =>
        small == 0 ? $"{large}{unit}" : $"{large}{unit}{small}{smallUnit}";
}
