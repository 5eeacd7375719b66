using System.Collections.Immutable;

namespace Graft.LocalCluster.Storage;

/// <summary>
/// The objects of one table at one moment, by namespace and name. It never changes: a write makes another tree that shares all but a few
/// nodes, so that lists, pages and watches read a moment for as long as they like, and nobody waits for them.
/// </summary>
internal sealed class ObjectTree
{
    private static readonly ImmutableSortedDictionary<string, StoredObject> NoObjects =
        ImmutableSortedDictionary.Create<string, StoredObject>(StringComparer.Ordinal);

    private readonly ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, StoredObject>> _namespaces;

    private ObjectTree(ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, StoredObject>> namespaces, int count)
    {
        _namespaces = namespaces;
        Count = count;
    }

    public static ObjectTree Empty { get; } =
        new(ImmutableSortedDictionary.Create<string, ImmutableSortedDictionary<string, StoredObject>>(StringComparer.Ordinal), 0);

    public int Count { get; }

    /// <summary>In the order in which lists are served and continued.</summary>
    public IEnumerable<StoredObject> All => _namespaces.Values.SelectMany(objects => objects.Values);

    /// <summary>The objects of a namespace, or all when it is empty.</summary>
    public IEnumerable<StoredObject> In(string ns) => ns.Length == 0 ? All : Of(ns).Values;

    public int CountIn(string ns) => ns.Length == 0 ? Count : Of(ns).Count;

    /// <summary>What follows a key, in a namespace or in all.</summary>
    public IEnumerable<StoredObject> After(ObjectKey key, string ns) => In(ns).SkipWhile(stored => stored.Key <= key);

    public StoredObject? Find(ObjectKey key) => Of(key.Namespace).GetValueOrDefault(key.Name);

    public ObjectTree With(StoredObject stored)
    {
        var old = Of(stored.Key.Namespace);
        var objects = old.SetItem(stored.Key.Name, stored);
        // One text for all objects of a namespace.
        var ns = _namespaces.TryGetKey(stored.Key.Namespace, out var known) ? known : stored.Key.Namespace;
        return new ObjectTree(_namespaces.SetItem(ns, objects), Count + objects.Count - old.Count);
    }

    public ObjectTree Without(ObjectKey key)
    {
        var old = Of(key.Namespace);
        var objects = old.Remove(key.Name);
        var namespaces = objects.IsEmpty ? _namespaces.Remove(key.Namespace) : _namespaces.SetItem(key.Namespace, objects);
        return new ObjectTree(namespaces, Count + objects.Count - old.Count);
    }

    private ImmutableSortedDictionary<string, StoredObject> Of(string ns) => _namespaces.GetValueOrDefault(ns, NoObjects);
}
