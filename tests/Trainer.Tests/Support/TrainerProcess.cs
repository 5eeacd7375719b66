using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Graft.Contract;

namespace Graft.Trainer.Tests.Support;

/// <summary>The program as a container runs it: its own process, with a termination log.</summary>
internal sealed class TrainerProcess : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);
    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly string terminationLog;

    private TrainerProcess(ProcessStartInfo start, string terminationLog)
    {
        this.terminationLog = terminationLog;
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.Environment["GRAFT_TERMINATION_LOG"] = terminationLog;
        process = new Process { StartInfo = start };
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => process.Id;

    /// <summary>What it said so far, both streams.</summary>
    public string Output
    {
        get { lock (output) return output.ToString(); }
    }

    public TrainingResult Result => JsonSerializer.Deserialize(File.ReadAllBytes(terminationLog), ContractJson.Default.TrainingResult)!;

    public bool HasResult => File.Exists(terminationLog);

    /// <param name="mount">A command that prepares the process's own mounts; null: none.</param>
    /// <param name="environment">Variables of the process besides this one's.</param>
    public static TrainerProcess Start(
        TempFolder folder, string[] arguments, string? mount = null, params (string Name, string Value)[] environment)
    {
        string[] program = ["dotnet", Path.Combine(AppContext.BaseDirectory, "graft-trainer.dll"), .. arguments];
        var start = mount is null
            ? new ProcessStartInfo(program[0], program[1..])
            : new ProcessStartInfo("unshare", ["-Urm", "sh", "-ec", mount + "\nexec \"$@\"", "sh", .. program]);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return new TrainerProcess(start, folder[$"termination-{Guid.NewGuid():n}"]);
    }

    /// <summary>Carries out a job to its end.</summary>
    public static (int ExitCode, string Output, TrainingResult Result) Train(TempFolder folder, TrainingJob job, string? mount = null,
        params string[] more)
    {
        using var run = Start(folder, Arguments(folder, job, more), mount);
        var code = run.Wait();
        return (code, run.Output, run.Result);
    }

    /// <summary>Carries out any verb to its end.</summary>
    public static (int ExitCode, string Output) Run(TempFolder folder, params string[] arguments)
    {
        using var run = Start(folder, arguments);
        var code = run.Wait();
        return (code, run.Output);
    }

    public static string[] Arguments(TempFolder folder, TrainingJob job, params string[] more) =>
    [
        "train", "--job", folder.Write("job.json", JsonSerializer.Serialize(job, ContractJson.Indented.TrainingJob)),
        .. more.Length == 0 ? ["--no-http"] : more,
    ];

    /// <summary>Whether this machine lets a process make mounts of its own.</summary>
    public static bool CanMount()
    {
        var start = new ProcessStartInfo("unshare", ["-Urm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]) { RedirectStandardError = true };
        using var probe = Process.Start(start);
        probe!.WaitForExit();
        return probe.ExitCode == 0;
    }

    public int Wait()
    {
        if (!process.WaitForExit(Deadline)) throw new TimeoutException($"the trainer did not end; it said:\n{Output}");
        process.WaitForExit();
        return process.ExitCode;
    }

    /// <summary>Until it has said <paramref name="text"/>.</summary>
    public async Task SaysAsync(string text)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (!Output.Contains(text, StringComparison.Ordinal))
        {
            if (process.HasExited) throw new InvalidOperationException($"it ended before it said {text}:\n{Output}");
            await Task.Delay(20, deadline.Token);
        }
    }

    public void Signal(string name)
    {
        using var kill = Process.Start("kill", ["-" + name, $"{process.Id}"]);
        kill.WaitForExit();
    }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.Dispose();
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null) return;
        lock (output) output.AppendLine(line.Data);
    }
}
