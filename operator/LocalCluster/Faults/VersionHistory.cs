namespace Graft.LocalCluster.Faults;

/// <summary>When the store was at which version, as far as requests have shown it.</summary>
internal sealed class VersionHistory
{
    private const int Kept = 4096;

    private readonly Lock _gate = new();
    private readonly LinkedList<(DateTimeOffset Time, long Version)> _seen = new();

    public void See(DateTimeOffset now, long version)
    {
        lock (_gate)
        {
            if (_seen.Last?.Value.Version == version)
                return;
            _seen.AddLast((now, version));
            if (_seen.Count > Kept)
                _seen.RemoveFirst();
        }
    }

    /// <summary>The version at a moment; the first that is known for what was before that.</summary>
    public long? At(DateTimeOffset moment)
    {
        lock (_gate)
        {
            for (var node = _seen.Last; node is not null; node = node.Previous)
            {
                if (node.Value.Time <= moment || node.Previous is null)
                    return node.Value.Version;
            }
            return null;
        }
    }
}
