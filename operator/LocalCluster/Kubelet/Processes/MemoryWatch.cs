using System.Globalization;

namespace Graft.LocalCluster.Kubelet.Processes;

/// <summary>Enforces a memory limit the simple way: looks at the group's anonymous resident memory now and then.</summary>
internal static class MemoryWatch
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    public static async Task RunAsync(ContainerProcess process, long limit, TimeProvider time, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancel).ConfigureAwait(false))
            {
                if (GroupAnonymousBytes(process.Group) <= limit) continue;
                process.KillOutOfMemory();
                return;
            }
        }
        catch (OperationCanceledException)
        {
            // The process ended first.
        }
    }

    /// <summary>Sum of RssAnon (proc(5)) over the processes of a group: files that are mapped do not count, as for a cgroup under pressure.</summary>
    public static long GroupAnonymousBytes(int group)
    {
        long sum = 0;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!char.IsAsciiDigit(Path.GetFileName(folder)[0]) || !IsInGroup(folder, group)) continue;
            sum += AnonymousBytes(folder);
        }
        return sum;
    }

    private static bool IsInGroup(string folder, int group)
    {
        try
        {
            // pid (name) state ppid pgrp ...; the name may hold anything, so the fields count from the last parenthesis.
            var stat = File.ReadAllText(Path.Combine(folder, "stat"));
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ', 4);
            return fields.Length > 2 && fields[2] == group.ToString(CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // It ended meanwhile.
        }
    }

    private static long AnonymousBytes(string folder)
    {
        try
        {
            var line = File.ReadLines(Path.Combine(folder, "status")).FirstOrDefault(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
            var kib = line?["RssAnon:".Length..].Replace("kB", "", StringComparison.Ordinal).Trim();
            return long.TryParse(kib, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value * 1024 : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
