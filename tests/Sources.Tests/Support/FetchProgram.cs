using System.Diagnostics;

namespace Graft.Sources.Tests.Support;

/// <summary>A fetch in another process.</summary>
internal sealed class FetchProgram : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);
    private readonly Process process;

    private FetchProgram(Process process) => this.process = process;

    public static FetchProgram Start(TempFolder folder, Uri hub, string source)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(FetchProgram).Assembly.Location, source])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["GRAFT_CACHE_DIR"] = folder["cache"], ["HF_ENDPOINT"] = hub.ToString(), ["GRAFT_SOURCE_LOOPBACK"] = "1",
            },
        };
        return new(Process.Start(start)!);
    }

    /// <summary>Waits for its end; what it printed.</summary>
    public async Task<(int Code, string Output, string Errors)> EndAsync()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        var errors = process.StandardError.ReadToEndAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        return (process.ExitCode, (await output).Trim(), await errors);
    }

    /// <summary>As the kernel ends a process that has too much: without a word.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public void Dispose()
    {
        if (!process.HasExited) Kill();
        process.Dispose();
    }
}
