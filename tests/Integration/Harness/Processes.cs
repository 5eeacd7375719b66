using System.Globalization;

namespace Graft.Integration.Harness;

/// <summary>The processes of this machine, as /proc tells.</summary>
internal static class Processes
{
    /// <summary>Everything that a process started, directly or not; a start time with each, so that a reused number is not mistaken.</summary>
    public static IReadOnlyList<(int Id, string Started, string Command)> DescendantsOf(int root)
    {
        var all = All();
        var found = new HashSet<int> { root };
        while (true)
        {
            var more = all.Where(p => found.Contains(p.Parent) && !found.Contains(p.Id)).Select(p => p.Id).ToList();
            if (more.Count == 0) break;
            found.UnionWith(more);
        }
        return [.. all.Where(p => found.Contains(p.Id) && p.Id != root).Select(p => (p.Id, p.Started, p.Command))];
    }

    public static bool IsAlive((int Id, string Started, string Command) process) =>
        Read(process.Id) is { } now && now.Started == process.Started && now.State != "Z";

    public static void Kill((int Id, string Started, string Command) process)
    {
        using var found = System.Diagnostics.Process.GetProcessById(process.Id);
        found.Kill();
    }

    /// <summary>The environment that a process was started with, <c>NAME=value</c> each.</summary>
    public static IReadOnlyList<string> Environment(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/environ").Split('\0');
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static List<(int Id, int Parent, string Started, string State, string Command)> All() =>
        [.. Directory.EnumerateDirectories("/proc")
            .Select(d => int.TryParse(Path.GetFileName(d), out var id) ? Read(id) : null)
            .Where(p => p is not null).Select(p => p!.Value)];

    private static (int Id, int Parent, string Started, string State, string Command)? Read(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var command = File.ReadAllText($"/proc/{id}/cmdline").Replace('\0', ' ');
            return (id, int.Parse(fields[1], CultureInfo.InvariantCulture), fields[19], fields[0], command);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
