using System.Diagnostics;
using Graft.LocalCluster.Kubelet.Mounts;

namespace Graft.LocalCluster.Kubelet.Processes;

/// <summary>How a container's mounts become real.</summary>
public enum Isolation
{
    /// <summary>A private mount namespace, made as root.</summary>
    MountNamespace,

    /// <summary>A private mount namespace in a user namespace, where the kernel lets any user make one.</summary>
    UserNamespace,

    /// <summary>None: one environment variable for each contract path says where it really is.</summary>
    Variables,
}

internal static class IsolationProbe
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>The strongest way that this kernel permits to this user, found by doing it once.</summary>
    public static async Task<Isolation> FindAsync(ProcessStarter starter, string scratchFolder, CancellationToken cancel)
    {
        foreach (var isolation in (Isolation[])[Isolation.MountNamespace, Isolation.UserNamespace])
        {
            if (await WorksAsync(isolation, starter, scratchFolder, cancel).ConfigureAwait(false)) return isolation;
        }
        return Isolation.Variables;
    }

    /// <summary>Builds a root folder with a file in <c>/dev</c> and a folder in <c>/</c>, and looks for them.</summary>
    public static async Task<bool> WorksAsync(Isolation isolation, ProcessStarter starter, string scratchFolder, CancellationToken cancel)
    {
        var folder = Path.Combine(scratchFolder, $"probe-{isolation}");
        var root = Directory.CreateDirectory(Path.Combine(folder, "root")).FullName;
        var source = Directory.CreateDirectory(Path.Combine(folder, "source")).FullName;
        var file = Path.Combine(folder, "file");
        await File.WriteAllTextAsync(file, "", cancel).ConfigureAwait(false);
        var steps = RootPlan.Make([new PodMount("/graft/probe", source, ReadOnly: true), new PodMount("/dev/probe", file, IsFile: true)], new HostTree());
        string[] command = ["/bin/sh", "-c", "echo works > /dev/probe && test -d /graft/probe && ! touch /graft/probe/x 2>/dev/null"];
        var script = Path.Combine(folder, "probe.sh");
        await File.WriteAllTextAsync(script, StartScript.Make(steps, root, "/", command, Environment.ProcessId), cancel).ConfigureAwait(false);
        try
        {
            var info = Launch.Info(isolation, script);
            info.RedirectStandardError = info.RedirectStandardOutput = true;
            using var process = await starter.StartAsync(info).ConfigureAwait(false);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(Patience);
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
            return process.ExitCode == 0 && await File.ReadAllTextAsync(file, cancel).ConfigureAwait(false) == "works\n";
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or OperationCanceledException)
        {
            cancel.ThrowIfCancellationRequested();
            return false;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

internal static class Launch
{
    /// <summary>
    /// The chain of programs in front of a start script; each replaces itself by the next, so the process id stays. It is the
    /// leader of its own session and process group, and is killed when this process dies.
    /// </summary>
    public static ProcessStartInfo Info(Isolation isolation, string script)
    {
        string[] unshare = isolation switch
        {
            Isolation.MountNamespace => ["unshare", "--mount", "--"],
            Isolation.UserNamespace => ["unshare", "--user", "--map-root-user", "--mount", "--"],
            _ => [],
        };
        // Asked for twice: changing credentials takes the signal back.
        string[] guarded = ["setpriv", "--pdeathsig", "KILL", "--"];
        return new ProcessStartInfo("setsid", [.. guarded, .. unshare, .. guarded, "/bin/sh", script]) { UseShellExecute = false };
    }

    /// <summary>The chain in front of a command that joins the mounts and the root folder of a running process.</summary>
    public static ProcessStartInfo Enter(int process, string workingFolder, IReadOnlyList<string> command)
    {
        var pid = process.ToString(System.Globalization.CultureInfo.InvariantCulture);
        string[] chain = ["setpriv", "--pdeathsig", "KILL", "--", "nsenter", "--target", pid, "--mount", "--root", "--wd", "--"];
        string[] there = ["/bin/sh", "-c", "cd \"$1\" || exit 126; shift; exec \"$@\"", "sh", workingFolder];
        return new ProcessStartInfo("setsid", [.. chain, .. there, .. command]) { UseShellExecute = false };
    }
}
