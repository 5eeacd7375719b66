using Graft.LocalCluster.Kubelet.Mounts;

namespace Graft.LocalCluster.Kubelet.Processes;

/// <summary>What all processes of this machine's pods share.</summary>
internal sealed class ProcessHost : IAsyncDisposable
{
    private ProcessHost(Isolation isolation, ProcessStarter starter, Guardian guardian, TimeProvider time)
    {
        Isolation = isolation;
        Starter = starter;
        Guardian = guardian;
        Time = time;
    }

    public Isolation Isolation { get; }
    public ProcessStarter Starter { get; }
    public Guardian Guardian { get; }
    public TimeProvider Time { get; }
    public IHostTree Tree { get; } = new HostTree();

    /// <param name="forced">Null takes the strongest isolation that works here.</param>
    /// <exception cref="NotSupportedException">The forced isolation does not work here.</exception>
    public static async Task<ProcessHost> StartAsync(string stateFolder, Isolation? forced, TimeProvider time, CancellationToken cancel)
    {
        var starter = new ProcessStarter();
        try
        {
            if (forced is { } wanted and not Isolation.Variables
                && !await IsolationProbe.WorksAsync(wanted, starter, stateFolder, cancel).ConfigureAwait(false))
                throw new NotSupportedException($"Mounts by {wanted} do not work on this machine for this user.");
            var isolation = forced ?? await IsolationProbe.FindAsync(starter, stateFolder, cancel).ConfigureAwait(false);
            return new ProcessHost(isolation, starter, await Guardian.StartAsync(starter).ConfigureAwait(false), time);
        }
        catch
        {
            starter.Dispose();
            throw;
        }
    }

    /// <summary>Kills every process that is left.</summary>
    public async ValueTask DisposeAsync()
    {
        await Guardian.DisposeAsync().ConfigureAwait(false);
        Starter.Dispose();
    }
}
