using System.Buffers;
using Graft.LocalCluster.Api;

namespace Graft.LocalCluster.Faults;

/// <summary>
/// Stands between a watch and its client, and lets events pass, wait, or be the last. Events keep the order of the watch in every case:
/// what halts one halts all that follow, bookmarks too, because a client that has seen a version may rely on having seen all before it.
/// </summary>
internal sealed class FaultyWatch(
    Stream client, FaultInjector injector, FaultRequest watch, FaultDecision start, TimeProvider time, Action<bool> end) : Stream
{
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _closing = new();
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly List<WatchedEvent> _held = [];
    private FaultDecision? _hold;
    private Task _releasing = Task.CompletedTask;
    private int _told;
    private bool _ended;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>What is to happen at the very beginning.</summary>
    /// <returns>Whether the watch goes on.</returns>
    public async Task<bool> BeginAsync(CancellationToken cancellation)
    {
        if (start.Fault is Fault.WithholdBookmarks)
            injector.Fire(start);
        await _turn.WaitAsync(cancellation);
        try
        {
            await EndIfDueAsync(null, cancellation);
            return !_ended;
        }
        finally
        {
            _turn.Release();
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            while (buffer.Span.IndexOf((byte)'\n') is >= 0 and var length)
            {
                _line.Write(buffer.Span[..length]);
                buffer = buffer[(length + 1)..];
                var line = WatchedEvent.Parse(_line.WrittenMemory);
                _line.ResetWrittenCount();
                await TakeAsync(line, cancellationToken);
            }
            _line.Write(buffer.Span);
        }
        finally
        {
            _turn.Release();
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => client.FlushAsync(cancellationToken);

    /// <summary>Ends what waits; nothing is told any more.</summary>
    public async Task CloseAsync()
    {
        await _closing.CancelAsync();
        await _releasing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
        _turn.Dispose();
    }

    private async Task TakeAsync(WatchedEvent next, CancellationToken cancellation)
    {
        if (next.IsBookmark && !next.EndsInitialEvents && start.Fault is Fault.WithholdBookmarks)
            return;
        var planEnds = Task.CompletedTask;
        var decision = next.IsBookmark || next.Type == "ERROR"
            ? null
            : injector.Decide(watch with { Verb = "event", Namespace = next.Namespace, Name = next.Name }, out planEnds);
        if (decision is not null)
            injector.Record(decision, committed: false);
        if (_hold is null && decision?.Fault is null)
        {
            await TellAsync(next, cancellation);
            return;
        }
        _held.Add(next);
        if (_hold is null)
        {
            _hold = decision!;
            injector.Fire(decision!);
            _releasing = Task.WhenAll(_releasing, ReleaseLaterAsync(decision!, planEnds));
        }
        if (_held.Count(e => !e.IsBookmark) > EventsOf(_hold.Fault!))
            await ReleaseAsync(cancellation);
    }

    private static int EventsOf(Fault fault) => (fault as Fault.Withhold)?.Events ?? (fault as Fault.Coalesce)?.Events ?? int.MaxValue;

    private static TimeSpan TimeOf(Fault fault) => (fault as Fault.Withhold)?.For ?? ((Fault.Coalesce)fault).For;

    private async Task ReleaseLaterAsync(FaultDecision hold, Task planEnds)
    {
        await Task.WhenAny(Task.Delay(TimeOf(hold.Fault!), time, _closing.Token), planEnds);
        await _turn.WaitAsync(_closing.Token);
        try
        {
            if (ReferenceEquals(_hold, hold))
                await ReleaseAsync(_closing.Token);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task ReleaseAsync(CancellationToken cancellation)
    {
        IReadOnlyList<WatchedEvent> waiting = _hold!.Fault is Fault.Coalesce ? WatchedEvent.Fold(_held) : [.. _held];
        _hold = null;
        _held.Clear();
        foreach (var one in waiting)
            await TellAsync(one, cancellation);
        await client.FlushAsync(cancellation);
    }

    private async Task TellAsync(WatchedEvent next, CancellationToken cancellation)
    {
        if (_ended)
            return;
        await EndIfDueAsync(next, cancellation);
        if (_ended)
            return;
        await client.WriteAsync(next.ToLine(), cancellation);
        if (next.IsBookmark)
            return;
        _told++;
        await EndIfDueAsync(null, cancellation);
    }

    /// <param name="next">The event that is about to be told; null between events.</param>
    private async Task EndIfDueAsync(WatchedEvent? next, CancellationToken cancellation)
    {
        switch (start.Fault)
        {
            case Fault.Cut cut when _told >= cut.AfterEvents && cut.MidLine == next is not null && next?.IsBookmark != true:
                if (next?.ToLine() is { } line)
                    await client.WriteAsync(line.AsMemory(0, line.Length / 2), cancellation);
                break;
            case Fault.Expire expire when _told >= expire.AfterEvents && next is null:
                var status = FaultAnswers.Expired("watch").ToStatus();
                await client.WriteAsync(new WatchedEvent("ERROR", "", "",
                    System.Text.Encoding.UTF8.GetBytes(status.ToJsonString(new() { Encoder = Responses.Writing.Encoder })), false).ToLine(), cancellation);
                break;
            default:
                return;
        }
        _ended = true;
        await client.FlushAsync(cancellation);
        injector.Fire(start);
        end(start.Fault is Fault.Cut { MidLine: true });
    }

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
