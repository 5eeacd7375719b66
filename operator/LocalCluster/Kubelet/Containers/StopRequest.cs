namespace Graft.LocalCluster.Kubelet.Containers;

/// <summary>The wish that something ends: first politely, and by force when its grace is over. A later wish may shorten the grace.</summary>
internal sealed class StopRequest : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _kill;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private DateTimeOffset? _deadline;

    public StopRequest(TimeProvider time)
    {
        _time = time;
        _kill = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
    }

    public CancellationToken Stop => _stop.Token;

    public CancellationToken Kill => _kill.Token;

    public bool IsRequested => _stop.IsCancellationRequested;

    /// <summary>What is left of the grace; never negative.</summary>
    public TimeSpan Remaining
    {
        get
        {
            var left = (_deadline ?? DateTimeOffset.MaxValue) - _time.GetUtcNow();
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    public void Request(TimeSpan grace)
    {
        lock (_gate)
        {
            var deadline = _time.GetUtcNow() + grace;
            if (_deadline is { } known && known <= deadline) return;
            _deadline = deadline;
            if (grace > TimeSpan.Zero) _kill.CancelAfter(grace);
        }
        _stop.Cancel();
        if (grace <= TimeSpan.Zero) _kill.Cancel();
    }

    public void Dispose()
    {
        _stop.Dispose();
        _kill.Dispose();
    }
}

internal static class CancellationWaits
{
    /// <summary>Completes when the task or the token is done, and never throws.</summary>
    public static async Task OrCancelled(this Task task, CancellationToken token)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = token.Register(() => cancelled.TrySetResult()).ConfigureAwait(false);
        await Task.WhenAny(task, cancelled.Task).ConfigureAwait(false);
    }
}
