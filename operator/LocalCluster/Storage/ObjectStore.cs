using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Storage;

/// <summary>A table at one version: later writes do not change it.</summary>
internal sealed record TableSnapshot(long ResourceVersion, ObjectTree Objects);

/// <summary>Why a write was refused; <see cref="Actual"/> is what is there instead, if anything.</summary>
internal sealed class WriteConflictException(string message, StoredObject? actual) : Exception(message)
{
    public StoredObject? Actual { get; } = actual;
}

/// <summary>
/// All objects of all kinds, in memory, under one strictly increasing version, as etcd gives it to a cluster. It knows keys, versions and
/// changes, and nothing of kinds. A write names the version that it replaces; every committed write is one event in its table's log.
/// With a journal, changes are kept beyond the process: whoever acknowledges one waits for <see cref="FlushedAsync"/> before.
/// </summary>
internal sealed class ObjectStore(int eventsPerTable = 4096, int snapshotsKept = 32, IObjectJournal? journal = null)
{
    // No life of a process makes as many changes between two that are kept.
    private const long VersionsBetweenLives = 1_000_000;

    private readonly object _gate = new();
    private readonly ConcurrentDictionary<GroupResource, Table> _tables = new();
    private readonly LinkedList<(GroupResource Resource, TableSnapshot Snapshot)> _pagedSnapshots = new();
    private long _version = 1;
    private long _compacted;

    public long ResourceVersion
    {
        get
        {
            lock (_gate)
                return _version;
        }
    }

    /// <summary>Ends when every write until now is kept.</summary>
    /// <exception cref="IOException">One could not be kept.</exception>
    public Task FlushedAsync() => journal?.FlushedAsync() ?? Task.CompletedTask;

    /// <summary>
    /// Takes over what an earlier life left, before anybody reads. Versions go on far above those that it may have shown somebody before
    /// they were kept, so that no version ever means two things; and whoever watched it has to list again.
    /// </summary>
    public void Restore(StoredContent content)
    {
        lock (_gate)
        {
            foreach (var (resource, stored) in content.Objects)
            {
                var table = TableOf(resource);
                table.Objects = table.Objects.With(stored);
            }
            if (content.Version > 0)
                _version = (content.Version / VersionsBetweenLives + 1) * VersionsBetweenLives;
        }
        Compact();
    }

    public StoredObject? Get(GroupResource resource, ObjectKey key) => TableOf(resource).Objects.Find(key);

    public EventLog Events(GroupResource resource) => TableOf(resource).Events;

    public TableSnapshot Snapshot(GroupResource resource)
    {
        lock (_gate)
            return new TableSnapshot(_version, TableOf(resource).Objects);
    }

    /// <summary>The version up to which a reader at the end of its table's log has seen everything, or null if it is not at the
    /// end.</summary>
    public long? VersionSeenAt(GroupResource resource, long place)
    {
        lock (_gate)
            return TableOf(resource).Events.End == place ? _version : null;
    }

    /// <summary>A snapshot together with the place in the log where its later changes begin.</summary>
    public (TableSnapshot Snapshot, long Place) SnapshotWithPlace(GroupResource resource)
    {
        lock (_gate)
            return (new TableSnapshot(_version, TableOf(resource).Objects), TableOf(resource).Events.End);
    }

    /// <summary>The table as it was at an earlier version: the changes since are taken back.</summary>
    /// <exception cref="ExpiredVersionException">Some of them are no longer known.</exception>
    public TableSnapshot SnapshotAt(GroupResource resource, long version)
    {
        lock (_gate)
        {
            var table = TableOf(resource);
            var objects = table.Objects;
            var place = table.Events.PlaceAfter(version);
            // The first change of each object since then says what it was before.
            var seen = new HashSet<ObjectKey>();
            while (table.Events.Read(ref place, "", out _) is { } change)
            {
                if (!seen.Add(change.Current.Key))
                    continue;
                objects = change.Previous is { } before ? objects.With(before) : objects.Without(change.Current.Key);
            }
            return new TableSnapshot(version, objects);
        }
    }

    /// <summary>Remembers a snapshot for the following pages of a list; the oldest are forgotten.</summary>
    public void KeepForPaging(GroupResource resource, TableSnapshot snapshot)
    {
        lock (_gate)
        {
            if (_pagedSnapshots.Any(kept => kept.Resource == resource && kept.Snapshot.ResourceVersion == snapshot.ResourceVersion))
                return;
            _pagedSnapshots.AddLast((resource, snapshot));
            if (_pagedSnapshots.Count > snapshotsKept)
                _pagedSnapshots.RemoveFirst();
        }
    }

    public TableSnapshot? PagedSnapshot(GroupResource resource, long version)
    {
        lock (_gate)
            return _pagedSnapshots.FirstOrDefault(kept => kept.Resource == resource && kept.Snapshot.ResourceVersion == version).Snapshot;
    }

    /// <exception cref="WriteConflictException">The key is taken.</exception>
    public StoredObject Insert(GroupResource resource, ObjectKey key, JsonObject content)
    {
        lock (_gate)
        {
            var table = TableOf(resource);
            if (table.Objects.Find(key) is { } existing)
                throw new WriteConflictException("exists", existing);
            return Commit(resource, table, StoreEventType.Added, key, content, previous: null);
        }
    }

    /// <exception cref="WriteConflictException">The object is gone or is not the one that was read.</exception>
    public StoredObject Replace(GroupResource resource, StoredObject read, JsonObject content)
    {
        lock (_gate)
        {
            var table = TableOf(resource);
            return Commit(resource, table, StoreEventType.Modified, read.Key, content, Expect(table, read));
        }
    }

    /// <summary>Removes the object; <paramref name="last"/>, if given, is the state that watchers see with the deletion.</summary>
    /// <exception cref="WriteConflictException">The object is gone or is not the one that was read.</exception>
    public StoredObject Remove(GroupResource resource, StoredObject read, JsonObject? last = null)
    {
        lock (_gate)
        {
            var table = TableOf(resource);
            return Commit(resource, table, StoreEventType.Deleted, read.Key, last ?? read.Copy(), Expect(table, read));
        }
    }

    /// <summary>Forgets a kind that is no longer served; its watchers have been ended by whoever removed the kind.</summary>
    public void Drop(GroupResource resource) => _tables.TryRemove(resource, out _);

    /// <summary>Makes every version before now too old to watch from, as a compaction of etcd does.</summary>
    public void Compact()
    {
        lock (_gate)
        {
            _compacted = _version;
            foreach (var table in _tables.Values)
                table.Events.Compact(_version);
            _pagedSnapshots.Clear();
        }
    }

    private static StoredObject Expect(Table table, StoredObject read)
    {
        var current = table.Objects.Find(read.Key);
        return current is not null && current.ResourceVersion == read.ResourceVersion
            ? current
            : throw new WriteConflictException("changed", current);
    }

    private StoredObject Commit(
        GroupResource resource, Table table, StoreEventType type, ObjectKey key, JsonObject content, StoredObject? previous)
    {
        var version = _version + 1;
        content["metadata"]!["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture);
        var stored = new StoredObject(key, content, version);
        journal?.Append(new JournalEntry(resource, stored, type == StoreEventType.Deleted));
        _version = version;
        table.Objects = type == StoreEventType.Deleted ? table.Objects.Without(key) : table.Objects.With(stored);
        table.Events.Append(new StoreEvent(type, stored, previous));
        return stored;
    }

    private Table TableOf(GroupResource resource) => _tables.GetOrAdd(resource, _ => new Table(eventsPerTable, Interlocked.Read(ref _compacted)));

    private sealed class Table
    {
        public volatile ObjectTree Objects = ObjectTree.Empty;

        public Table(int events, long compacted)
        {
            Events = new EventLog(events);
            Events.Compact(compacted);
        }

        public EventLog Events { get; }
    }
}
