namespace Graft.Runtime;

/// <summary>A dictionary that forgets the entry unused for longest. Not thread-safe.</summary>
internal sealed class LruCache<TKey, TValue>(int capacity) where TKey : notnull
{
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, TValue Value)>> _entries = [];
    private readonly LinkedList<(TKey Key, TValue Value)> _byUse = new();

    public TValue GetOrAdd(TKey key, Func<TValue> make)
    {
        if (_entries.TryGetValue(key, out var node))
        {
            _byUse.Remove(node);
            _byUse.AddFirst(node);
            return node.Value.Value;
        }

        if (_entries.Count >= capacity)
        {
            _entries.Remove(_byUse.Last!.Value.Key);
            _byUse.RemoveLast();
        }

        return (_entries[key] = _byUse.AddFirst((key, make()))).Value.Value;
    }
}
