namespace Graft.LocalCluster.Storage;

/// <summary>The reader's place is older than what the log remembers: 410 to the client, which lists again.</summary>
internal sealed class ExpiredVersionException(long requested, long oldest)
    : Exception($"too old resource version: {requested} ({oldest})");

/// <summary>
/// The last changes of one table, in the order of their versions, in a ring. Readers keep their own place, so that a slow reader delays
/// nobody; one that falls out of the ring gets <see cref="ExpiredVersionException"/>.
/// </summary>
internal sealed class EventLog(int capacity)
{
    private readonly object _gate = new();
    private readonly StoreEvent[] _ring = new StoreEvent[capacity];
    private TaskCompletionSource _appended = NewSignal();
    private long _end;
    private long _forgotten;

    /// <summary>The place after the newest event.</summary>
    public long End
    {
        get
        {
            lock (_gate)
                return _end;
        }
    }

    public void Append(StoreEvent change)
    {
        TaskCompletionSource signal;
        lock (_gate)
        {
            var slot = (int)(_end % capacity);
            if (_end >= capacity)
                _forgotten = _ring[slot].ResourceVersion;
            _ring[slot] = change;
            _end++;
            signal = _appended;
            _appended = NewSignal();
        }
        signal.SetResult();
    }

    /// <summary>Forgets everything up to now, as a compaction does: readers that are behind must list again.</summary>
    public void Compact(long version)
    {
        lock (_gate)
            _forgotten = Math.Max(_forgotten, version);
    }

    /// <summary>The place of the first event after <paramref name="version"/>.</summary>
    /// <exception cref="ExpiredVersionException">An event after that version is no longer there.</exception>
    public long PlaceAfter(long version)
    {
        lock (_gate)
        {
            if (version < _forgotten)
                throw new ExpiredVersionException(version, _forgotten);
            var low = Math.Max(0, _end - capacity);
            var high = _end;
            while (low < high)
            {
                var middle = low + (high - low) / 2;
                if (_ring[(int)(middle % capacity)].ResourceVersion <= version)
                    low = middle + 1;
                else
                    high = middle;
            }
            return low;
        }
    }

    /// <summary>The event at a place, or null with a task that ends when there may be one.</summary>
    /// <exception cref="ExpiredVersionException">The place has been overwritten.</exception>
    public StoreEvent? Read(long place, out Task appended)
    {
        lock (_gate)
        {
            appended = _appended.Task;
            if (place < _end - capacity)
                throw new ExpiredVersionException(0, _forgotten);
            return place < _end ? _ring[(int)(place % capacity)] : null;
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
