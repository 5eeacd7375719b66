using Graft.LocalCluster.Kubelet.Logs;
using Graft.LocalCluster.Kubelet.Processes;

namespace Graft.LocalCluster.Kubelet.Containers;

/// <summary>What a command beside a container said.</summary>
internal readonly record struct ExecResult(int Code, string Output);

/// <summary>Runs commands in a container's surroundings, for probes and hooks.</summary>
/// <param name="container">Process id of the container's first process, whose mounts the commands share where they can.</param>
internal sealed class ContainerExec(KubeletContext context, ProcessSpec spec, int container)
{
    // As much as the kubelet keeps of a probe's output (pkg/probe/exec, maxReadLength).
    private const int MaxOutput = 10 * 1024;
    private static readonly TimeSpan BuildPoll = TimeSpan.FromMilliseconds(10);

    /// <exception cref="OperationCanceledException">It took too long, and was killed.</exception>
    public async Task<ExecResult> RunAsync(IReadOnlyList<string> command, CancellationToken cancel)
    {
        var folder = Path.Combine(spec.Folder, $"exec-{Guid.NewGuid():n}");
        var log = Path.Combine(folder, "output.log");
        try
        {
            Directory.CreateDirectory(folder);
            await BuiltAsync(cancel).ConfigureAwait(false);
            var own = spec with { Command = command, Folder = folder, Log = log, MemoryLimit = null };
            var process = context.Host.Isolation == Isolation.MountNamespace
                ? await ContainerProcess.EnterAsync(own, container, context.Host).ConfigureAwait(false)
                : await ContainerProcess.StartAsync(own, context.Host).ConfigureAwait(false);
            await process.Exit.OrCancelled(cancel).ConfigureAwait(false);
            if (!process.Exit.IsCompleted) process.Signal(Signals.Kill);
            var exit = await process.Exit.ConfigureAwait(false);
            cancel.ThrowIfCancellationRequested();
            return new ExecResult(exit.Code, Output(log));
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Waits until the container has its own root folder: before that, a command would see the machine's.</summary>
    private async Task BuiltAsync(CancellationToken cancel)
    {
        if (context.Host.Isolation != Isolation.MountNamespace) return;
        while (new DirectoryInfo($"/proc/{container}/root").LinkTarget == "/") await Task.Delay(BuildPoll, context.Time, cancel).ConfigureAwait(false);
    }

    private static string Output(string log)
    {
        if (!File.Exists(log)) return "";
        var text = string.Concat(File.ReadLines(log).Select(LogLine.Parse).OfType<LogLine>().Select(l => l.Text + (l.Partial ? "" : "\n")));
        return text.Length > MaxOutput ? text[..MaxOutput] : text;
    }
}
