using System.Globalization;

namespace Graft.Trainer.Reporting;

internal static class PeakMemory
{
    /// <summary>The most memory the process ever held (VmHWM of the kernel), in bytes; null where the kernel does not say.</summary>
    public static long? Bytes()
    {
        const string Status = "/proc/self/status";
        if (!File.Exists(Status)) return null;
        var line = File.ReadLines(Status).FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return line is null ? null
            : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
