using System.Collections.Concurrent;
using System.Diagnostics;

namespace Graft.LocalCluster.Kubelet.Processes;

/// <summary>
/// Starts all child processes from one thread that lives as long as this process: the parent-death signal that children ask
/// for (prctl(2), PR_SET_PDEATHSIG) is sent when the forking <i>thread</i> ends, and threads of the pool come and go.
/// </summary>
internal sealed class ProcessStarter : IDisposable
{
    private readonly BlockingCollection<Action> _starts = [];

    public ProcessStarter()
    {
        var thread = new Thread(Run) { IsBackground = true, Name = "process starter" };
        thread.Start();
    }

    /// <exception cref="System.ComponentModel.Win32Exception">The program cannot be started.</exception>
    public Task<Process> StartAsync(ProcessStartInfo info)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        _starts.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(info)!);
            }
            catch (Exception e)
            {
                started.SetException(e);
            }
        });
        return started.Task;
    }

    private void Run()
    {
        foreach (var start in _starts.GetConsumingEnumerable()) start();
        // The thread is not let go while children may live: it waits for the end of the process.
        new ManualResetEventSlim(false).Wait();
    }

    public void Dispose() => _starts.CompleteAdding();
}
