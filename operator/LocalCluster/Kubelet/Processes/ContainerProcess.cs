using System.Diagnostics;
using System.Globalization;
using Graft.LocalCluster.Kubelet.Logs;
using Graft.LocalCluster.Kubelet.Mounts;

namespace Graft.LocalCluster.Kubelet.Processes;

/// <summary>Everything needed to start one process of a container.</summary>
/// <param name="Folder">A folder of this machine for the start script and the mount point of the root.</param>
/// <param name="Log">Null discards the output.</param>
/// <param name="MemoryLimit">Bytes of anonymous memory of the whole process group; null for none.</param>
internal sealed record ProcessSpec(
    IReadOnlyList<string> Command,
    IReadOnlyDictionary<string, string> Environment,
    IReadOnlyList<PodMount> Mounts,
    string WorkingFolder,
    string Folder,
    string? Log,
    long? MemoryLimit = null);

/// <param name="Code">128 + signal for a process that was killed, as shells say it.</param>
internal sealed record ProcessExit(int Code, bool OutOfMemory, DateTimeOffset StartedAt, DateTimeOffset FinishedAt)
{
    public int Signal => Code is > 128 and < 193 ? Code - 128 : 0;
}

/// <summary>A running process of a container, with the process group that it leads.</summary>
internal sealed class ContainerProcess
{
    // How long output is still read after the process ended: something it started may hold the pipe open.
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(2);

    private volatile bool _outOfMemory;

    private ContainerProcess(int group, DateTimeOffset startedAt)
    {
        Group = group;
        StartedAt = startedAt;
        Exit = Task.FromResult(new ProcessExit(0, false, startedAt, startedAt));
    }

    /// <summary>Process id of the first process, which is also the id of its group.</summary>
    public int Group { get; }

    public DateTimeOffset StartedAt { get; }

    /// <summary>Completes when the process has ended, its output is written and nothing of its group is left.</summary>
    public Task<ProcessExit> Exit { get; private set; }

    public void Signal(int signal) => Signals.SendToGroup(Group, signal);

    /// <summary>Asks the first process to end, as container runtimes do; what it started ends with it.</summary>
    public void Terminate() => Signals.Send(Group, Signals.Terminate);

    public void KillOutOfMemory()
    {
        _outOfMemory = true;
        Signal(Signals.Kill);
    }

    /// <exception cref="System.ComponentModel.Win32Exception">It cannot be started at all.</exception>
    public static async Task<ContainerProcess> StartAsync(ProcessSpec spec, ProcessHost host)
    {
        Directory.CreateDirectory(spec.Folder);
        var mounted = host.Isolation != Isolation.Variables;
        var root = mounted ? Directory.CreateDirectory(Path.Combine(spec.Folder, "root")).FullName : null;
        var steps = mounted ? RootPlan.Make(spec.Mounts, host.Tree) : [];
        var script = Path.Combine(spec.Folder, "start.sh");
        var text = StartScript.Make(steps, root, spec.WorkingFolder, spec.Command, System.Environment.ProcessId);
        await File.WriteAllTextAsync(script, text).ConfigureAwait(false);

        return await BeginAsync(Launch.Info(host.Isolation, script), spec, host).ConfigureAwait(false);
    }

    /// <summary>Starts a command in the mounts and the root folder of a process that runs already.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">It cannot be started at all.</exception>
    public static Task<ContainerProcess> EnterAsync(ProcessSpec spec, int process, ProcessHost host)
    {
        Directory.CreateDirectory(spec.Folder);
        return BeginAsync(Launch.Enter(process, spec.WorkingFolder, spec.Command), spec, host);
    }

    private static async Task<ContainerProcess> BeginAsync(ProcessStartInfo info, ProcessSpec spec, ProcessHost host)
    {
        info.WorkingDirectory = spec.Folder;
        info.RedirectStandardOutput = info.RedirectStandardError = true;
        info.Environment.Clear();
        foreach (var (name, value) in spec.Environment) info.Environment[name] = value;

        var process = await host.Starter.StartAsync(info).ConfigureAwait(false);
        host.Guardian.Add(process.Id);
        var container = new ContainerProcess(process.Id, host.Time.GetUtcNow());
        container.Exit = container.WatchAsync(process, spec, host);
        return container;
    }

    private async Task<ProcessExit> WatchAsync(Process process, ProcessSpec spec, ProcessHost host)
    {
        using var drained = new CancellationTokenSource();
        var output = CopyOutputAsync(process, spec.Log, host.Time, drained.Token);
        using var memory = new CancellationTokenSource();
        var limit = spec.MemoryLimit is { } bytes ? MemoryWatch.RunAsync(this, bytes, host.Time, memory.Token) : Task.CompletedTask;
        await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        var finished = host.Time.GetUtcNow();
        var code = process.ExitCode;
        // A container ends with its first process: what it left behind goes too.
        if (Signals.GroupExists(Group)) Signals.SendToGroup(Group, Signals.Kill);
        host.Guardian.Remove(Group);
        await memory.CancelAsync().ConfigureAwait(false);
        drained.CancelAfter(DrainPatience);
        await Task.WhenAll(output, limit).ConfigureAwait(false);
        process.Dispose();
        return new ProcessExit(code, _outOfMemory, StartedAt, finished);
    }

    private static async Task CopyOutputAsync(Process process, string? log, TimeProvider time, CancellationToken cancel)
    {
        try
        {
            var (output, error) = (process.StandardOutput.BaseStream, process.StandardError.BaseStream);
            if (log is null)
            {
                await Task.WhenAll(output.CopyToAsync(Stream.Null, cancel), error.CopyToAsync(Stream.Null, cancel)).ConfigureAwait(false);
                return;
            }
            await using var writer = new LogWriter(log, time);
            await Task.WhenAll(writer.CopyAsync(output, "stdout", cancel), writer.CopyAsync(error, "stderr", cancel)).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // A process that left the group still holds the pipe; the container is over all the same.
        }
        catch (IOException)
        {
            // The disk is full: the program goes on without its log, as on a cluster.
            await DiscardAsync(process, cancel).ConfigureAwait(false);
        }
    }

    // The pipes are read to their end even when nothing can be written: else the program would stop at a full pipe.
    private static async Task DiscardAsync(Process process, CancellationToken cancel)
    {
        try
        {
            await Task.WhenAll(
                process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, cancel),
                process.StandardError.BaseStream.CopyToAsync(Stream.Null, cancel)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // Over.
        }
    }

    public override string ToString() => Group.ToString(CultureInfo.InvariantCulture);
}
