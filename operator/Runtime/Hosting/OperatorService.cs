using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Graft.Runtime;

/// <summary>
/// Fills the caches, also while another process leads, so that taking over is quick; runs the controllers while this process leads;
/// and ends the process when leadership is lost, because another may be at work already.
/// </summary>
public sealed class OperatorService(
    OperatorSettings settings, ApiClient client, InformerSet informers, IEnumerable<IController> controllers, ControllerMetrics metrics,
    TimeProvider time, IHostApplicationLifetime lifetime, ILogger<OperatorService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Building the controllers asks for their informers; all must be there before the set starts.
        var all = controllers.ToArray();
        var caches = informers.RunAsync(stoppingToken);
        try
        {
            if (settings.LeaderElectionType == LeaderElectionType.None)
                await RunControllersAsync(all, stoppingToken).ConfigureAwait(false);
            else
                await LeadAsync(all, stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped while waiting for the lease.
        }

        await caches.ConfigureAwait(false);
    }

    private async Task LeadAsync(IController[] all, CancellationToken ct)
    {
        var elector = new LeaderElector(client, Election(), time, logger);
        var status = metrics.MasterStatus.WithLabels(settings.Name);
        status.Set(0);
        var kept = await elector.RunAsync(
            leading =>
            {
                status.Set(1);
                return RunControllersAsync(all, leading);
            },
            ct).ConfigureAwait(false);
        status.Set(0);
        if (kept)
            return;
        Environment.ExitCode = 1;
        lifetime.StopApplication();
    }

    private static Task RunControllersAsync(IController[] all, CancellationToken ct) => Task.WhenAll(all.Select(c => c.RunAsync(ct)));

    private LeaderElectionOptions Election() => new()
    {
        Name = settings.Name,
        Namespace = settings.LeaderElectionNamespace ?? settings.Connection?.Namespace ?? settings.Namespace ?? "default",
        Identity = settings.Identity ?? $"{Environment.MachineName}_{Environment.ProcessId}",
        LeaseDuration = settings.LeaseDuration,
        RenewDeadline = settings.RenewDeadline,
        RetryPeriod = settings.RetryPeriod,
    };
}
