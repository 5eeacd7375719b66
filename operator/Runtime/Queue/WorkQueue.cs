using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Graft.Runtime;

/// <summary>What a queue tells about itself.</summary>
public interface IWorkQueueObserver<in TKey>
{
    void Added(int depth);

    /// <param name="waited">Time between becoming ready and being taken.</param>
    void Taken(TKey key, TimeSpan waited, int depth);

    void Finished(TKey key, TimeSpan worked);

    void Retried();
}

/// <summary>
/// Keys to be worked on. A key waits at most once, is never worked on twice at a time, and comes again when it was added while it
/// was worked on. Delayed keys wait in one sorted set with one timer; the earliest time asked for wins.
/// </summary>
public sealed class WorkQueue<TKey> : IDisposable where TKey : notnull
{
    private readonly TimeProvider _time;
    private readonly IWorkQueueObserver<TKey>? _observer;
    private readonly ItemBackoff<TKey> _backoff;
    private readonly Lock _gate = new();
    private readonly Channel<TKey> _ready = Channel.CreateUnbounded<TKey>();
    private readonly Dictionary<TKey, long> _waiting = [];
    private readonly Dictionary<TKey, long> _working = [];
    private readonly SortedSet<Delayed> _delayed = [];
    private readonly Dictionary<TKey, Delayed> _delayedByKey = [];
    private readonly ITimer _timer;
    private readonly long _origin;
    private long _sequence;
    private int _depth;
    private bool _shut;

    public WorkQueue(TimeProvider time, ItemBackoff<TKey>? backoff = null, IWorkQueueObserver<TKey>? observer = null)
    {
        (_time, _observer, _backoff) = (time, observer, backoff ?? new ItemBackoff<TKey>());
        _origin = time.GetTimestamp();
        _timer = time.CreateTimer(_ => ReleaseDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Keys that are ready and not yet taken.</summary>
    public int Depth
    {
        get
        {
            lock (_gate)
                return _depth;
        }
    }

    /// <summary>How long the key being worked on longest has been, and the sum over all.</summary>
    public (TimeSpan Longest, TimeSpan Sum) Unfinished()
    {
        lock (_gate)
        {
            var (longest, sum) = (TimeSpan.Zero, TimeSpan.Zero);
            foreach (var since in _working.Values)
            {
                var elapsed = _time.GetElapsedTime(since);
                sum += elapsed;
                longest = elapsed > longest ? elapsed : longest;
            }

            return (longest, sum);
        }
    }

    public void Add(TKey key)
    {
        lock (_gate)
        {
            if (_shut)
                return;
            // What was to come later comes now, and need not come again.
            if (_delayedByKey.Remove(key, out var later))
                _delayed.Remove(later);
            if (!_waiting.TryAdd(key, _time.GetTimestamp()))
                return;
            if (!_working.ContainsKey(key))
                MakeReady(key);
        }
    }

    public void AddAfter(TKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(key);
            return;
        }

        lock (_gate)
        {
            var due = _time.GetElapsedTime(_origin).Ticks + delay.Ticks;
            if (_shut || _waiting.ContainsKey(key))
                return;
            if (_delayedByKey.TryGetValue(key, out var known))
            {
                if (known.DueTicks <= due)
                    return;
                _delayed.Remove(known);
            }

            var entry = new Delayed(due, _sequence++, key);
            _delayedByKey[key] = entry;
            _delayed.Add(entry);
            SetTimer();
        }
    }

    /// <summary>Adds after the key's own back-off.</summary>
    public void AddRateLimited(TKey key)
    {
        _observer?.Retried();
        AddAfter(key, _backoff.Next(key));
    }

    /// <summary>The key succeeded: its next failure starts from the shortest delay.</summary>
    public void Forget(TKey key) => _backoff.Forget(key);

    public int Failures(TKey key) => _backoff.Failures(key);

    /// <summary>Takes the next key; <see cref="Done"/> must follow.</summary>
    /// <exception cref="ChannelClosedException">The queue is shut down and empty.</exception>
    public async ValueTask<TKey> TakeAsync(CancellationToken ct)
    {
        var key = await _ready.Reader.ReadAsync(ct).ConfigureAwait(false);
        lock (_gate)
        {
            _depth--;
            _waiting.Remove(key, out var since);
            _working[key] = _time.GetTimestamp();
            _observer?.Taken(key, _time.GetElapsedTime(since), _depth);
        }

        return key;
    }

    /// <summary>Without waiting; false when no key is ready.</summary>
    public bool TryTake([MaybeNullWhen(false)] out TKey key)
    {
        lock (_gate)
        {
            if (!_ready.Reader.TryRead(out key))
                return false;
            _depth--;
            _waiting.Remove(key, out var since);
            _working[key] = _time.GetTimestamp();
            _observer?.Taken(key, _time.GetElapsedTime(since), _depth);
            return true;
        }
    }

    public void Done(TKey key)
    {
        lock (_gate)
        {
            if (!_working.Remove(key, out var since))
                return;
            _observer?.Finished(key, _time.GetElapsedTime(since));
            if (_waiting.ContainsKey(key) && !_shut)
                MakeReady(key);
        }
    }

    /// <summary>Takes no more keys; those that are ready can still be taken.</summary>
    public void ShutDown()
    {
        lock (_gate)
            _shut = true;
        _ready.Writer.TryComplete();
    }

    public void Dispose()
    {
        ShutDown();
        _timer.Dispose();
    }

    private void MakeReady(TKey key)
    {
        _depth++;
        _ready.Writer.TryWrite(key);
        _observer?.Added(_depth);
    }

    private void ReleaseDue()
    {
        lock (_gate)
        {
            var now = _time.GetElapsedTime(_origin).Ticks;
            while (_delayed.Min is { } first && first.DueTicks <= now)
                Add(first.Key);

            SetTimer();
        }
    }

    private void SetTimer()
    {
        if (_shut || _delayed.Min is not { } first)
            return;
        // Rounded up to the timer's resolution, so that it does not fire just before the key is due.
        var wait = TimeSpan.FromTicks(Math.Max(0, first.DueTicks - _time.GetElapsedTime(_origin).Ticks));
        _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
    }

    private sealed record Delayed(long DueTicks, long Sequence, TKey Key) : IComparable<Delayed>
    {
        public int CompareTo(Delayed? other) => (DueTicks, Sequence).CompareTo((other!.DueTicks, other.Sequence));
    }
}
