using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Faults;

/// <summary>A feature of a request: it is answered from this earlier version of its table.</summary>
internal sealed record StaleRead(TableSnapshot Snapshot)
{
    /// <summary>What a request reads: the table as it is, unless a fault says otherwise.</summary>
    public static StoredObject? Find(HttpContext http, ObjectStore store, GroupResource resource, ObjectKey key) =>
        http.Features.Get<StaleRead>() is { } stale ? stale.Snapshot.Objects.Find(key) : store.Get(resource, key);
}
