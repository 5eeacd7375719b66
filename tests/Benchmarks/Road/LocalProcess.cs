using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Graft.Benchmarks.Road;

/// <summary>A program whose lines of output are stamped with the time at which they came.</summary>
internal sealed partial class LocalProcess : IDisposable
{
    private const int Interrupt = 2;
    private readonly Process _process;
    private readonly List<(DateTimeOffset Time, string Text)> _lines = [];
    private readonly TimeProvider _time;

    public LocalProcess(string program, IReadOnlyList<string> arguments, string folder, TimeProvider time)
    {
        _time = time;
        Started = time.GetUtcNow();
        _process = new Process
        {
            // A shell's background jobs ignore Ctrl-C, and so would everything below them.
            StartInfo = new ProcessStartInfo("/usr/bin/env", ["--default-signal=INT", program, .. arguments])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = folder,
            },
        };
        _process.OutputDataReceived += (_, e) => Keep(e.Data);
        _process.ErrorDataReceived += (_, e) => Keep(e.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public DateTimeOffset Started { get; }

    /// <summary>Waits for the first line with <paramref name="text"/>.</summary>
    /// <exception cref="InvalidOperationException">The program ended without it.</exception>
    public async Task<(DateTimeOffset Time, string Text)> LineAsync(string text)
    {
        while (true)
        {
            lock (_lines)
            {
                var at = _lines.FindIndex(l => l.Text.Contains(text, StringComparison.Ordinal));
                if (at >= 0) return _lines[at];
            }
            if (_process.HasExited)
                throw new InvalidOperationException($"ended with {_process.ExitCode} before '{text}':\n{string.Join('\n', _lines.Select(l => l.Text))}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    /// <summary>Resident memory of the process itself, in MiB.</summary>
    public double ResidentMiB()
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    /// <summary>As Ctrl-C does; returns the exit code.</summary>
    public async Task<int> InterruptAsync()
    {
        _ = SendSignal(_process.Id, Interrupt);
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_lines) _lines.Add((_time.GetUtcNow(), line));
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
