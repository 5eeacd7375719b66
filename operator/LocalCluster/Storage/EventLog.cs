namespace Graft.LocalCluster.Storage;

/// <summary>The reader's place is older than what the log remembers: 410 to the client, which lists again.</summary>
internal sealed class ExpiredVersionException(long requested, long oldest)
    : Exception($"too old resource version: {requested} ({oldest})");

/// <summary>
/// The last changes of one table, in the order of their versions, in a ring. Readers keep their own place, so that a slow reader delays
/// nobody; one that falls out of the ring gets <see cref="ExpiredVersionException"/>. A reader of one namespace is woken by that
/// namespace's changes alone, and is not expired by those of others.
/// </summary>
internal sealed class EventLog(int capacity)
{
    // More namespaces than this are not told apart among what is forgotten; the price is an early 410 for their idle watches.
    private const int NamespacesToldApart = 4096;

    private readonly object _gate = new();
    private readonly StoreEvent?[] _ring = new StoreEvent?[capacity];
    private readonly Dictionary<string, TaskCompletionSource> _waiting = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _lost = new(StringComparer.Ordinal);
    private long _lostOfOthers = -1;
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
        TaskCompletionSource? everybody, neighbours;
        var ns = change.Current.Key.Namespace;
        lock (_gate)
        {
            var slot = (int)(_end % capacity);
            if (_ring[slot] is { } overwritten)
                Forget(overwritten, _end - capacity);
            _ring[slot] = change;
            _end++;
            _waiting.Remove("", out everybody);
            _waiting.Remove(ns, out neighbours);
        }
        everybody?.SetResult();
        neighbours?.SetResult();
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
                if (At(middle).ResourceVersion <= version)
                    low = middle + 1;
                else
                    high = middle;
            }
            return low;
        }
    }

    /// <summary>The next event of a namespace, or of all when it is empty; null with a task that ends when there may be one.</summary>
    /// <param name="place">Where to look from; afterwards where to look from next.</param>
    /// <exception cref="ExpiredVersionException">An event of that namespace has been overwritten before it was read.</exception>
    public StoreEvent? Read(ref long place, string ns, out Task appended)
    {
        lock (_gate)
        {
            var oldest = Math.Max(0, _end - capacity);
            if (place < oldest)
            {
                if (LastLost(ns, oldest) >= place)
                    throw new ExpiredVersionException(0, _forgotten);
                place = oldest;
            }
            appended = Task.CompletedTask;
            while (place < _end)
            {
                var change = At(place++);
                if (ns.Length == 0 || change.Current.Key.Namespace == ns)
                    return change;
            }
            if (!_waiting.TryGetValue(ns, out var signal))
                _waiting[ns] = signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            appended = signal.Task;
            return null;
        }
    }

    private void Forget(StoreEvent overwritten, long place)
    {
        _forgotten = Math.Max(_forgotten, overwritten.ResourceVersion);
        if (_lost.Count >= NamespacesToldApart)
        {
            _lost.Clear();
            _lostOfOthers = place;
        }
        _lost[overwritten.Current.Key.Namespace] = place;
    }

    private long LastLost(string ns, long oldest) => ns.Length == 0 ? oldest - 1 : _lost.GetValueOrDefault(ns, _lostOfOthers);

    private StoreEvent At(long place) => _ring[(int)(place % capacity)]!;
}
