using System.Threading.Channels;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graft.Runtime;

/// <summary>A controller whatever its kind.</summary>
public interface IController
{
    string Name { get; }

    /// <summary>Waits until the caches are filled, then works until cancelled.</summary>
    Task RunAsync(CancellationToken ct);
}

/// <summary>
/// Informers -> keys -> queue -> <see cref="IEntityController{T}"/>. Changes of the kind itself, of what its objects own and of what
/// else is watched all become the key of one object; what exactly changed is not told, so a reconcile looks at the whole state.
/// </summary>
public sealed class Controller<T> : IController, IDisposable where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly InformerSet _informers;
    private readonly Informer<T> _informer;
    private readonly Reconciler<T> _reconciler;
    private readonly ControllerOptions<T> _options;
    private readonly WorkQueue<ObjectKey> _queue;
    private readonly List<IInformer> _sources = [];
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Random _jitter = Seeded.Random();

    public Controller(
        InformerSet informers, IEntityController<T> controller, ControllerOptions<T>? options = null, TimeProvider? time = null,
        ILoggerFactory? loggers = null, ControllerMetrics? metrics = null, IReadOnlyDictionary<string, IEntityFinalizer<T>>? finalizers = null)
    {
        _options = options ?? new ControllerOptions<T>();
        Name = _options.Name ?? ResourceKind.Of<T>().Kind.ToLowerInvariant();
        _logger = (ILogger?)loggers?.CreateLogger<Controller<T>>() ?? NullLogger.Instance;
        _informers = informers;
        _informer = informers.Get<T>(_options.Selection);
        _sources.Add(_informer);
        _time = time ??= TimeProvider.System;
        var observer = metrics?.ForController(Name, _options.MaxConcurrentReconciles);
        _queue = new WorkQueue<ObjectKey>(time, null, observer);
        observer?.Observe(_queue);
        _reconciler = new Reconciler<T>(_informer, informers, controller, _options, _queue, observer, time, _logger, finalizers);
        var predicate = _options.Predicate ?? Predicates.DesiredStateChanged;
        _informer.AddHandler(e =>
        {
            if (e.Change == InformerChange.Deleted)
                _reconciler.Remember(e.Object);
            else if (!predicate(e.Old, e.Object))
                return;
            _queue.Add(ObjectKey.Of(e.Object));
        });
    }

    public string Name { get; }

    public Informer<T> Informer => _informer;

    /// <summary>Objects of this kind that are controlled by one of ours lead to it.</summary>
    public Controller<T> Owns<TChild>(InformerOptions? selection = null, EventPredicate<TChild>? predicate = null)
        where TChild : class, IKubernetesObject<V1ObjectMeta>
    {
        var owner = ResourceKind.Of<T>();
        return Watches<TChild>(child => Owners.Of(child, owner), selection, predicate);
    }

    /// <summary>Objects of this kind lead to the keys that the function returns for them (for their old and for their new state).</summary>
    public Controller<T> Watches<TOther>(
        Func<TOther, IEnumerable<ObjectKey>> map, InformerOptions? selection = null, EventPredicate<TOther>? predicate = null)
        where TOther : class, IKubernetesObject<V1ObjectMeta>
    {
        var informer = _informers.Get<TOther>(selection);
        _sources.Add(informer);
        informer.AddHandler(e =>
        {
            if (e.Change != InformerChange.Deleted && predicate is not null && !predicate(e.Old, e.Object))
                return;
            // A key counts once for an event: added again, it could come after a worker took it, and be worked on twice.
            foreach (var key in map(e.Object).Concat(e.Old is null ? [] : map(e.Old)).Distinct())
                _queue.Add(key);
        });
        return this;
    }

    /// <summary>Asks for a reconcile of a key, now or later.</summary>
    public void Enqueue(ObjectKey key, TimeSpan after = default) => _queue.AddAfter(key, after);

    public async Task RunAsync(CancellationToken ct)
    {
        foreach (var source in _sources)
            await source.WaitForSyncAsync(ct).ConfigureAwait(false);
        _logger.LogInformation("Controller {Controller} starts with {Workers} workers", Name, _options.MaxConcurrentReconciles);
        var workers = Enumerable.Range(0, _options.MaxConcurrentReconciles).Select(_ => Task.Run(() => WorkAsync(ct), CancellationToken.None));
        await Task.WhenAll(workers.Append(ResyncAsync(ct))).ConfigureAwait(false);
    }

    public void Dispose() => _queue.Dispose();

    private async Task ResyncAsync(CancellationToken ct)
    {
        while (_options.ResyncPeriod is { } period && !ct.IsCancellationRequested)
        {
            await Task.Delay(period * (0.9 + _jitter.NextDouble() / 5), _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!ct.IsCancellationRequested)
                foreach (var entity in _informer.List())
                    _queue.Add(ObjectKey.Of(entity));
        }
    }

    private async Task WorkAsync(CancellationToken ct)
    {
        try
        {
            while (!ct.IsCancellationRequested)
            {
                var key = await _queue.TakeAsync(ct).ConfigureAwait(false);
                using var scope = _logger.BeginScope("{Controller} {Key}", Name, key);
                try
                {
                    await _reconciler.WorkAsync(key, ct).ConfigureAwait(false);
                }
                finally
                {
                    _queue.Done(key);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
        {
            // Stopped between two keys, or in a reconcile that is repeated after the next start.
        }
    }
}

/// <summary>From a child to the object that controls it.</summary>
public static class Owners
{
    public static IEnumerable<ObjectKey> Of(IMetadata<V1ObjectMeta> child, ResourceKind owner) =>
        (child.Metadata.OwnerReferences ?? [])
        // The version may differ: an owner stays the owner when its kind gets a new one.
        .Where(r => r.Controller == true && r.Kind == owner.Kind && GroupOf(r.ApiVersion) == owner.Group)
        .Select(r => new ObjectKey(owner.Namespaced ? child.Metadata.NamespaceProperty ?? "" : "", r.Name));

    /// <summary>The reference that makes an object the controlling owner of another.</summary>
    public static V1OwnerReference Reference(IKubernetesObject<V1ObjectMeta> owner)
    {
        var kind = ResourceKind.Of(owner.GetType());
        return new V1OwnerReference
        {
            ApiVersion = kind.ApiVersion, Kind = kind.Kind, Name = owner.Metadata.Name, Uid = owner.Metadata.Uid,
            Controller = true, BlockOwnerDeletion = true,
        };
    }

    private static string GroupOf(string apiVersion) => apiVersion.Contains('/', StringComparison.Ordinal) ? apiVersion.Split('/')[0] : "";
}
