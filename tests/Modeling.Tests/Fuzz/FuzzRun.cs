using System.Globalization;
using System.Runtime.InteropServices;

namespace Graft.Modeling.Tests.Fuzz;

/// <summary>
/// Gives a parser many damaged files, and looks at what becomes of each: a result, or an error that the parser promises. Another
/// exception, more memory or more time than a small file can need fails the test and says how to make the file again; a crash ends the
/// test's process, which fails too. The time is the processor's, so that a loaded machine does not matter.
/// </summary>
internal sealed partial class FuzzRun(string parser, IReadOnlyList<byte[]> good, bool json)
{
    private const int Inputs = 10_000;
    private const long MostManagedBytes = 256L << 20, MostResidentBytes = 1L << 30;
    private const double MostSeconds = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private int at;

    /// <param name="parse">Reads one file, and whatever a user would read of it.</param>
    /// <param name="promised">Whether the parser may throw this.</param>
    /// <returns>Files that were read without an error.</returns>
    public int Run(Action<byte[]> parse, Func<Exception, bool> promised)
    {
        var (faults, read, before) = (new List<string>(), 0, Resident());
        var thread = new Thread(() =>
        {
            for (var i = 0; i < Inputs && faults.Count < 20; i++)
            {
                Volatile.Write(ref at, i);
                var bytes = new Mutator(i, good).Next(json);
                if (Fault(bytes, parse, promised, ref read) is { } fault) faults.Add($"input {i} ({bytes.Length} bytes): {fault}");
                if (i % 64 == 0 && Resident() - before > MostResidentBytes)
                    faults.Add($"by input {i}: {(Resident() - before) >> 20} MiB resident");
            }
        }) { IsBackground = true };
        thread.Start();
        // A loop without end never comes back; that the same input is still being read tells it from a slow machine.
        for (var last = -1; !thread.Join(Patience); last = at)
            Assert.True(Volatile.Read(ref at) != last, $"{parser}: input {last} does not end");
        Assert.True(faults.Count == 0, $"{parser}:\n{string.Join('\n', faults)}");
        return read;
    }

    private static string? Fault(byte[] bytes, Action<byte[]> parse, Func<Exception, bool> promised, ref int read)
    {
        var (allocated, start) = (GC.GetAllocatedBytesForCurrentThread(), ProcessorSeconds());
        string? fault = null;
        try
        {
            parse(bytes);
            read++;
        }
        catch (Exception e) when (promised(e))
        {
            if (string.IsNullOrWhiteSpace(e.Message)) fault = $"{e.GetType().Name} without a message";
        }
        catch (Exception e)
        {
            fault = e.ToString();
        }
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        if (allocated > MostManagedBytes) fault ??= $"{allocated >> 20} MiB allocated";
        var seconds = ProcessorSeconds() - start;
        return seconds > MostSeconds ? fault ?? string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s") : fault;
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
