using System.Globalization;
using System.Runtime.InteropServices;

namespace Graft.Modeling.Tests.Fuzz;

/// <summary>
/// Carries out many small pieces of work, and looks at what each costs: an exception, more memory or more time than a small file can
/// need fails the test and says which piece it was; a crash ends the test's process, which fails too. The time is the processor's, so
/// that a loaded machine does not matter.
/// </summary>
internal sealed partial class FuzzBudget(string parser)
{
    public const int Inputs = 10_000;

    private const long MostManagedBytes = 256L << 20, MostResidentBytes = 1L << 30;
    private const double MostSeconds = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private int at;

    /// <param name="work">Gets the number of the input.</param>
    public void Run(int inputs, Action<int> work)
    {
        var (faults, before) = (new List<string>(), Resident());
        var thread = new Thread(() =>
        {
            for (var i = 0; i < inputs && faults.Count < 20; i++)
            {
                Volatile.Write(ref at, i);
                if (Fault(i, work) is { } fault) faults.Add($"input {i}: {fault}");
                if (i % 64 == 0 && Resident() - before > MostResidentBytes)
                    faults.Add($"by input {i}: {(Resident() - before) >> 20} MiB resident");
            }
        }) { IsBackground = true };
        thread.Start();
        // A loop without end never comes back; that the same input is still being read tells it from a slow machine.
        for (var last = -1; !thread.Join(Patience); last = at)
            Assert.True(Volatile.Read(ref at) != last, $"{parser}: input {last} does not end");
        Assert.True(faults.Count == 0, $"{parser}:\n{string.Join('\n', faults)}");
    }

    private static string? Fault(int input, Action<int> work)
    {
        var (allocated, start) = (GC.GetAllocatedBytesForCurrentThread(), ProcessorSeconds());
        try
        {
            work(input);
        }
        catch (Exception e)
        {
            return e.ToString();
        }
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        if (allocated > MostManagedBytes) return $"{allocated >> 20} MiB allocated";
        var seconds = ProcessorSeconds() - start;
        return seconds > MostSeconds ? string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s") : null;
    }

    private static long Resident()
    {
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.AsSpan(6).Trim().TrimEnd("kB").Trim(), CultureInfo.InvariantCulture) << 10;
    }

    private static double ProcessorSeconds()
    {
        const int threadCpuTime = 3;
        return ClockGetTime(threadCpuTime, out var time) == 0 ? time.Seconds + time.Nanoseconds * 1e-9 : 0;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
