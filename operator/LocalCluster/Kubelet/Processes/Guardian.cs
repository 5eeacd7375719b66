using System.Diagnostics;
using System.Globalization;

namespace Graft.LocalCluster.Kubelet.Processes;

/// <summary>
/// A small shell that knows every process group that runs and kills them all when its standard input ends, which the kernel
/// sees to when this process dies in whatever way. The parent-death signal reaches only the first process of a container;
/// this reaches the processes that it started.
/// </summary>
internal sealed class Guardian : IAsyncDisposable
{
    private const string Script = """
        groups=' '
        while read -r verb group; do
          case $verb in
            add) groups="$groups$group " ;;
            del) case $groups in *" $group "*) groups="${groups%%" $group "*} ${groups#*" $group "}" ;; esac ;;
          esac
        done
        # A process that has not made its group yet is killed by its own id.
        for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null || kill -s KILL "$group" 2>/dev/null; done
        exit 0
        """;

    private readonly Process _shell;
    private readonly Lock _gate = new();

    private Guardian(Process shell) => _shell = shell;

    public static async Task<Guardian> StartAsync(ProcessStarter starter)
    {
        // A session of its own: an interrupt at the terminal must not reach the guardian before its work is done.
        var info = new ProcessStartInfo("setsid", ["/bin/sh", "-c", Script]) { RedirectStandardInput = true };
        info.Environment.Clear();
        info.Environment["PATH"] = "/usr/bin:/bin";
        return new Guardian(await starter.StartAsync(info).ConfigureAwait(false));
    }

    public void Add(int group) => Tell("add", group);

    public void Remove(int group) => Tell("del", group);

    private void Tell(string verb, int group)
    {
        lock (_gate)
        {
            try
            {
                _shell.StandardInput.Write(string.Create(CultureInfo.InvariantCulture, $"{verb} {group}\n"));
                _shell.StandardInput.Flush();
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // Somebody killed the guardian: children still have their parent-death signal.
            }
        }
    }

    /// <summary>Kills what is left.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            try
            {
                _shell.StandardInput.Close();
            }
            catch (IOException)
            {
                // Gone already.
            }
        }
        await _shell.WaitForExitAsync().ConfigureAwait(false);
        _shell.Dispose();
    }
}
