using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Probes;

/// <summary>Counts answers in a row until they mean something.</summary>
internal sealed class ProbeCounter(V1Probe probe, bool startsAs)
{
    private readonly int _successes = Math.Max(1, probe.SuccessThreshold ?? 1);
    private readonly int _failures = Math.Max(1, probe.FailureThreshold ?? 3);
    private int _inRow;
    private bool _last;

    public bool Healthy { get; private set; } = startsAs;

    /// <returns>Whether this answer is the one that reaches a threshold, for the first time or again.</returns>
    public bool Count(bool success)
    {
        _inRow = success == _last ? _inRow + 1 : 1;
        _last = success;
        if (_inRow < (success ? _successes : _failures)) return false;
        Healthy = success;
        return true;
    }
}

internal static class ProbeLoop
{
    /// <summary>Asks again and again until cancelled.</summary>
    /// <param name="onAnswer">Gets every answer with the state after it; returns whether to go on.</param>
    public static async Task RunAsync(
        V1Probe probe, Prober prober, ProbeCounter counter, TimeProvider time, Func<ProbeResult, bool, bool> onAnswer, CancellationToken cancel)
    {
        try
        {
            if (probe.InitialDelaySeconds is > 0 and var delay) await Task.Delay(TimeSpan.FromSeconds(delay), time, cancel).ConfigureAwait(false);
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(Math.Max(1, probe.PeriodSeconds ?? 10)), time);
            do
            {
                var result = await prober.AskAsync(probe, cancel).ConfigureAwait(false);
                var decided = counter.Count(result.Success);
                if (!onAnswer(result, decided)) return;
            }
            while (await timer.WaitForNextTickAsync(cancel).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The container ended.
        }
    }
}
