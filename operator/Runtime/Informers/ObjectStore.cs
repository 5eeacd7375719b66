namespace Graft.Runtime;

/// <summary>
/// What an informer knows. Two layers: what the watch has told, and what this process wrote since and the watch has not told yet
/// ("read your own writes"). An own write is shown until the watch reaches the same or a newer resource version; one that the
/// watch has already passed is ignored. Objects are shared: readers must not change them.
/// </summary>
internal sealed class ObjectStore<T> where T : class
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ObjectKey, T> _told = [];
    private readonly Dictionary<ObjectKey, T> _shown = [];
    private readonly Dictionary<ObjectKey, string> _ownWrites = [];
    private readonly Dictionary<string, Index> _indexes = [];
    private string _seenVersion = "";

    public int Count
    {
        get
        {
            lock (_gate)
                return _shown.Count;
        }
    }

    public void AddIndex(string name, Func<T, IEnumerable<string>> keysOf)
    {
        lock (_gate)
        {
            var index = new Index(keysOf);
            foreach (var (key, value) in _shown)
                index.Add(key, value);
            _indexes.Add(name, index);
        }
    }

    public T? Find(ObjectKey key)
    {
        lock (_gate)
            return _shown.GetValueOrDefault(key);
    }

    public IReadOnlyList<T> List(string? ns)
    {
        lock (_gate)
            return ns is null ? [.. _shown.Values] : [.. _shown.Where(p => p.Key.Namespace == ns).Select(p => p.Value)];
    }

    public IReadOnlyList<T> ByIndex(string name, string value)
    {
        lock (_gate)
        {
            if (!_indexes.TryGetValue(name, out var index))
                throw new ArgumentException($"There is no index '{name}'.", nameof(name));
            return [.. index.Keys(value).Select(key => _shown[key])];
        }
    }

    /// <summary>Objects that the watch has told, by key.</summary>
    public IReadOnlyDictionary<ObjectKey, T> Told()
    {
        lock (_gate)
            return new Dictionary<ObjectKey, T>(_told);
    }

    public T? ToldOf(ObjectKey key)
    {
        lock (_gate)
            return _told.GetValueOrDefault(key);
    }

    /// <summary>The watch told of an object. Returns what it had told before.</summary>
    public T? Tell(ObjectKey key, T value)
    {
        lock (_gate)
        {
            Advance(ObjectJson.ResourceVersionOf(value));
            _told.Remove(key, out var old);
            _told[key] = value;
            if (_ownWrites.TryGetValue(key, out var own) && ResourceVersions.Compare(own, ObjectJson.ResourceVersionOf(value)) > 0)
                return old;
            _ownWrites.Remove(key);
            Show(key, value);
            return old;
        }
    }

    /// <summary>The watch told that an object is gone, at this version. Returns what it had told before.</summary>
    public T? TellGone(ObjectKey key, string? version)
    {
        lock (_gate)
        {
            Advance(version);
            _told.Remove(key, out var old);
            if (_ownWrites.TryGetValue(key, out var own) && ResourceVersions.Compare(own, version) > 0)
                return old;
            _ownWrites.Remove(key);
            Hide(key);
            return old;
        }
    }

    /// <summary>The watch has seen everything up to this version (a bookmark, or a list's own version).</summary>
    public void TellVersion(string version)
    {
        lock (_gate)
            Advance(version);
    }

    /// <summary>This process wrote the object and the server answered with this.</summary>
    public void RecordWrite(ObjectKey key, T value)
    {
        var version = ObjectJson.ResourceVersionOf(value);
        lock (_gate)
        {
            if (ResourceVersions.Compare(version, _seenVersion) <= 0)
                return;
            if (_shown.TryGetValue(key, out var shown) && ResourceVersions.Compare(ObjectJson.ResourceVersionOf(shown), version) >= 0)
                return;
            _ownWrites[key] = version!;
            Show(key, value);
        }
    }

    private void Advance(string? version)
    {
        if (ResourceVersions.Compare(version, _seenVersion) > 0)
            _seenVersion = version!;
    }

    private void Show(ObjectKey key, T value)
    {
        Hide(key);
        _shown[key] = value;
        foreach (var index in _indexes.Values)
            index.Add(key, value);
    }

    private void Hide(ObjectKey key)
    {
        if (!_shown.Remove(key, out var old))
            return;
        foreach (var index in _indexes.Values)
            index.Remove(key, old);
    }

    private sealed class Index(Func<T, IEnumerable<string>> keysOf)
    {
        private readonly Dictionary<string, HashSet<ObjectKey>> _keys = [];

        public HashSet<ObjectKey> Keys(string value) => _keys.TryGetValue(value, out var keys) ? keys : [];

        public void Add(ObjectKey key, T value)
        {
            foreach (var name in keysOf(value))
            {
                if (!_keys.TryGetValue(name, out var keys))
                    _keys[name] = keys = [];
                keys.Add(key);
            }
        }

        public void Remove(ObjectKey key, T value)
        {
            foreach (var name in keysOf(value))
                if (_keys.TryGetValue(name, out var keys) && keys.Remove(key) && keys.Count == 0)
                    _keys.Remove(name);
        }
    }
}
