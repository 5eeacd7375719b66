namespace Graft.Runtime;

/// <summary>Exponential back-off per item: 5 ms, doubled with each failure up to 1000 s, for ever. Forgotten on success.</summary>
public sealed class ItemBackoff<TKey>(TimeSpan? first = null, TimeSpan? longest = null) where TKey : notnull
{
    private readonly TimeSpan _first = first ?? TimeSpan.FromMilliseconds(5);
    private readonly TimeSpan _longest = longest ?? TimeSpan.FromSeconds(1000);
    private readonly Dictionary<TKey, int> _failures = [];
    private readonly Lock _gate = new();

    /// <summary>Counts a failure and returns how long to wait before the next try.</summary>
    public TimeSpan Next(TKey key)
    {
        int failures;
        lock (_gate)
            _failures[key] = failures = _failures.GetValueOrDefault(key) + 1;
        var wait = _first.TotalMilliseconds * Math.Pow(2, Math.Min(failures - 1, 60));
        return TimeSpan.FromMilliseconds(Math.Min(wait, _longest.TotalMilliseconds));
    }

    public int Failures(TKey key)
    {
        lock (_gate)
            return _failures.GetValueOrDefault(key);
    }

    public void Forget(TKey key)
    {
        lock (_gate)
            _failures.Remove(key);
    }
}
