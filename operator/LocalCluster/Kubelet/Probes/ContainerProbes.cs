using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Probes;

/// <summary>What probes do to a container.</summary>
/// <param name="Ready">It serves, or no longer does.</param>
/// <param name="Started">Its startup probe succeeded.</param>
/// <param name="Kill">It must be restarted, for this reason, with the grace that the probe gives; null gives the pod's.</param>
/// <param name="Unhealthy">A probe failed; kind and message.</param>
internal sealed record ProbeEffects(Action<bool> Ready, Action Started, Action<string, TimeSpan?> Kill, Action<string, string> Unhealthy);

/// <summary>The startup probe first, then readiness and liveness side by side, until cancelled.</summary>
internal static class ContainerProbes
{
    public static async Task RunAsync(V1Container container, Prober prober, ProbeEffects effects, TimeProvider time, CancellationToken cancel)
    {
        if (container.StartupProbe is { } startup)
        {
            var counter = new ProbeCounter(startup, startsAs: false);
            await ProbeLoop.RunAsync(startup, prober, counter, time, (result, decided) =>
            {
                if (!result.Success) effects.Unhealthy("Startup", result.Message);
                if (decided && !result.Success) effects.Kill("failed startup probe", Grace(startup));
                return !decided;
            }, cancel).ConfigureAwait(false);
            if (!counter.Healthy || cancel.IsCancellationRequested) return;
        }
        effects.Started();
        var loops = new List<Task>();
        if (container.ReadinessProbe is { } readiness)
        {
            var counter = new ProbeCounter(readiness, startsAs: false);
            loops.Add(ProbeLoop.RunAsync(readiness, prober, counter, time, (result, decided) =>
            {
                if (!result.Success) effects.Unhealthy("Readiness", result.Message);
                if (decided) effects.Ready(counter.Healthy);
                return true;
            }, cancel));
        }
        else
        {
            effects.Ready(true);
        }
        if (container.LivenessProbe is { } liveness)
        {
            var counter = new ProbeCounter(liveness, startsAs: true);
            loops.Add(ProbeLoop.RunAsync(liveness, prober, counter, time, (result, decided) =>
            {
                if (!result.Success) effects.Unhealthy("Liveness", result.Message);
                if (!decided || result.Success) return true;
                effects.Kill("failed liveness probe", Grace(liveness));
                return false;
            }, cancel));
        }
        await Task.WhenAll(loops).ConfigureAwait(false);
    }
    private static TimeSpan? Grace(V1Probe probe) =>
        probe.TerminationGracePeriodSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
}
