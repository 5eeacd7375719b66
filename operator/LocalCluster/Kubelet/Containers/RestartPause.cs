namespace Graft.LocalCluster.Kubelet.Containers;

/// <summary>The pause before a container is started again: it doubles with each end, and is forgotten after a long good run.</summary>
internal sealed class RestartPause(TimeSpan first, TimeSpan longest)
{
    private static readonly TimeSpan GoodRun = TimeSpan.FromMinutes(10);
    private TimeSpan _next = TimeSpan.Zero;

    /// <param name="ran">How long it ran this time.</param>
    public TimeSpan Next(TimeSpan ran)
    {
        if (ran >= GoodRun) _next = TimeSpan.Zero;
        var pause = _next;
        _next = _next == TimeSpan.Zero ? first : _next * 2 < longest ? _next * 2 : longest;
        return pause;
    }
}
