using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Graft.Integration.Harness;

/// <summary>A program started by a test: its output is kept, and it does not outlive the test.</summary>
internal sealed partial class ProgramRun : IAsyncDisposable
{
    private const int Interrupt = 2;
    private const int KillSignal = 9;
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly string _name;

    private ProgramRun(Process process, string name) => (_process, _name) = (process, name);

    public int Id => _process.Id;
    public bool HasExited => _process.HasExited;
    public int ExitCode => _process.ExitCode;

    /// <summary>Standard output and error, in the order in which they came.</summary>
    public string Output
    {
        get { lock (_output) return _output.ToString(); }
    }

    public string LastLine => Output.TrimEnd().Split('\n')[^1].Trim();

    /// <param name="workingFolder">Absent: the repository's root.</param>
    public static ProgramRun Start(string program, IEnumerable<string> arguments, string? workingFolder = null)
    {
        // A shell's background jobs ignore Ctrl-C, and so would everything below them; a person's terminal does not do that.
        var info = new ProcessStartInfo("/usr/bin/env", ["--default-signal=INT", program])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = workingFolder ?? Repository.Root,
        };
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        var run = new ProgramRun(new Process { StartInfo = info }, Path.GetFileName(program));
        run._process.OutputDataReceived += (_, line) => run.Keep(line.Data);
        run._process.ErrorDataReceived += (_, line) => run.Keep(line.Data);
        run._process.Start();
        run._process.BeginOutputReadLine();
        run._process.BeginErrorReadLine();
        return run;
    }

    /// <summary>Runs a program to its end and returns it; fails when it takes longer than <paramref name="limit"/>.</summary>
    public static async Task<ProgramRun> ToEndAsync(string program, IEnumerable<string> arguments, TimeSpan limit)
    {
        var run = Start(program, arguments);
        await run.WaitForExitAsync(limit);
        return run;
    }

    public async Task WaitForExitAsync(TimeSpan limit)
    {
        using var timeout = new CancellationTokenSource(limit);
        try
        {
            await _process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{_name} did not end within {limit.TotalSeconds} s; it printed:\n{Output}");
        }
    }

    /// <summary>Waits until the output has a line with <paramref name="text"/> and returns that line.</summary>
    public async Task<string> LineWithAsync(string text, TimeSpan limit)
    {
        return await Poll.UntilAsync($"{_name} prints '{text}'", limit, () =>
        {
            var line = Output.Split('\n').FirstOrDefault(l => l.Contains(text, StringComparison.Ordinal));
            if (line is null && HasExited) throw new InvalidOperationException($"{_name} ended with {ExitCode}:\n{Output}");
            return Task.FromResult(line);
        });
    }

    /// <summary>Waits until <c>local</c> says how its API is reached.</summary>
    public async Task<string> KubeconfigAsync(TimeSpan limit)
    {
        const string Variable = "KUBECONFIG=";
        var line = await LineWithAsync(Variable, limit);
        return line[(line.IndexOf(Variable, StringComparison.Ordinal) + Variable.Length)..].Trim();
    }

    public void InterruptByPerson() => Signal(Interrupt);

    public void Kill() => Signal(KillSignal);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Signal(Interrupt);
            using var grace = new CancellationTokenSource(TimeSpan.FromSeconds(15));
            try { await _process.WaitForExitAsync(grace.Token); }
            catch (OperationCanceledException) { _process.Kill(entireProcessTree: true); }
        }
        _process.Dispose();
    }

    private void Signal(int signal) => _ = SendSignal(_process.Id, signal);

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_output) _output.Append(line).Append('\n');
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
