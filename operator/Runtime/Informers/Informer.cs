using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Graft.Runtime;

/// <summary>Which objects an informer holds.</summary>
public sealed record InformerOptions
{
    /// <summary>Null is all namespaces.</summary>
    public string? Namespace { get; init; }

    public string? LabelSelector { get; init; }

    public string? FieldSelector { get; init; }
}

public enum InformerChange
{
    Added,
    Updated,
    Deleted,
}

/// <summary>A change that the watch told. Object is the last known state when the object is gone.</summary>
public sealed record InformerEvent<T>(InformerChange Change, T? Old, T Object) where T : class;

/// <summary>An informer whatever its type, for health and for writers that know types only at run time.</summary>
public interface IInformer
{
    ResourceKind Kind { get; }

    /// <summary>The first list is complete.</summary>
    bool HasSynced { get; }

    /// <summary>When the server last said anything: a list, a watch's start, an event or a bookmark.</summary>
    DateTimeOffset LastActivity { get; }

    Task RunAsync(CancellationToken ct);

    Task WaitForSyncAsync(CancellationToken ct);

    object? FindObject(ObjectKey key);

    /// <summary>The informer would hold this object if it existed, so not finding it means that it does not.</summary>
    bool HoldsAll(string ns);

    /// <summary>Takes the answer to an own write (typed or raw), so that reads see it before the watch tells of it.</summary>
    void RecordWrite(object written);
}

/// <summary>
/// A local copy of the objects of one kind, kept by list and watch, with indexes and change events. Objects are shared and must be
/// treated as read-only; they carry no managedFields. With a field selector, own writes show only for objects that the watch has told of.
/// </summary>
public sealed class Informer<T> : IInformer where T : class, IKubernetesObject<V1ObjectMeta>
{
    private const string OwnerIndex = "owner uid";
    private readonly ObjectStore<T> _store = new();
    private readonly Reflector<T> _reflector;
    private readonly InformerOptions _options;
    private readonly LabelSelector? _selector;
    private readonly Lock _handlersGate = new();
    private Action<InformerEvent<T>>[] _handlers = [];

    public Informer(ApiClient client, InformerOptions? options = null, TimeProvider? time = null, ILogger? logger = null, Random? jitter = null)
    {
        _options = options ?? new InformerOptions();
        _selector = _options.LabelSelector is null ? null : LabelSelector.Parse(_options.LabelSelector);
        Kind = ResourceKind.Of<T>();
        _store.AddIndex(OwnerIndex, static o => o.Metadata.OwnerReferences?.Select(r => r.Uid) ?? []);
        _reflector = new Reflector<T>(client.Resource<T>(), _options, _store, Raise, time ?? TimeProvider.System, logger, jitter ?? Seeded.Random());
    }

    public ResourceKind Kind { get; }

    public bool HasSynced => _reflector.Synced.IsCompletedSuccessfully;

    public DateTimeOffset LastActivity => _reflector.LastActivity;

    public int Count => _store.Count;

    /// <summary>Lists and watches until cancelled. Run it once.</summary>
    public Task RunAsync(CancellationToken ct) => _reflector.RunAsync(ct);

    public Task WaitForSyncAsync(CancellationToken ct) => _reflector.Synced.WaitAsync(ct);

    /// <summary>Calls the handler for every change; first, for every object that is known already, as added. Handlers must be quick.</summary>
    public void AddHandler(Action<InformerEvent<T>> handler)
    {
        lock (_handlersGate)
        {
            _handlers = [.. _handlers, handler];
            foreach (var known in _store.Told().Values)
                handler(new InformerEvent<T>(InformerChange.Added, null, known));
        }
    }

    /// <summary>Objects can then be found by any of the values that the function returns for them.</summary>
    public void AddIndex(string name, Func<T, IEnumerable<string>> valuesOf) => _store.AddIndex(name, valuesOf);

    public T? Find(ObjectKey key) => _store.Find(key);

    public T? Find(string name, string? ns = null) => _store.Find(new ObjectKey(ns ?? "", name));

    public IReadOnlyList<T> List(string? ns = null) => _store.List(ns);

    public IReadOnlyList<T> ByIndex(string name, string value) => _store.ByIndex(name, value);

    /// <summary>Objects with an owner reference to this uid.</summary>
    public IReadOnlyList<T> OwnedBy(string uid) => _store.ByIndex(OwnerIndex, uid);

    public void RecordWrite(T written)
    {
        var key = ObjectKey.Of(written);
        if (_options.Namespace is not null && _options.Namespace != key.Namespace)
            return;
        if (_selector?.Matches(written.Metadata.Labels) == false || (_options.FieldSelector is not null && _store.Find(key) is null))
            return;
        var copy = ObjectJson.Clone(written);
        copy.Metadata.ManagedFields = null;
        _store.RecordWrite(key, copy);
    }

    bool IInformer.HoldsAll(string ns) =>
        _options.LabelSelector is null && _options.FieldSelector is null && (_options.Namespace is null || _options.Namespace == ns);

    object? IInformer.FindObject(ObjectKey key) => Find(key);

    void IInformer.RecordWrite(object written) => RecordWrite(
        written as T ?? ObjectJson.Read<T>(JsonSerializer.SerializeToElement((JsonObject)written)));

    private void Raise(Func<InformerEvent<T>?> change)
    {
        // Under the gate, so that a handler that is being added sees each object exactly once.
        lock (_handlersGate)
            if (change() is { } e)
                foreach (var handler in _handlers)
                    handler(e);
    }
}
