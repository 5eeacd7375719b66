using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Graft.Runtime;

/// <summary>The informers of a process: one per kind and selection, shared by all who ask for it.</summary>
public sealed class InformerSet(ApiClient client, TimeProvider time, ILoggerFactory loggers, string? ns = null)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(Type, InformerOptions), IInformer> _informers = [];
    private readonly List<Task> _running = [];
    private CancellationToken? _started;

    public ApiClient Client { get; } = client;

    public IReadOnlyList<IInformer> All
    {
        get
        {
            lock (_gate)
                return [.. _informers.Values];
        }
    }

    public bool HaveSynced => All.All(i => i.HasSynced);

    /// <summary>The informer of a kind; it starts with the set, or at once when the set runs already.</summary>
    public Informer<T> Get<T>(InformerOptions? options = null) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        options ??= new InformerOptions { Namespace = ResourceKind.Of<T>().Namespaced ? ns : null };
        lock (_gate)
        {
            if (_informers.TryGetValue((typeof(T), options), out var known))
                return (Informer<T>)known;
            var informer = new Informer<T>(Client, options, time, loggers.CreateLogger<Informer<T>>());
            _informers.Add((typeof(T), options), informer);
            if (_started is { } ct)
                _running.Add(Task.Run(() => informer.RunAsync(ct), CancellationToken.None));
            return informer;
        }
    }

    /// <summary>The informers of a type, whatever their selection.</summary>
    public IEnumerable<IInformer> Of(Type type)
    {
        lock (_gate)
            return [.. _informers.Where(p => p.Key.Item1 == type).Select(p => p.Value)];
    }

    /// <summary>Shows the answer to an own write in every informer of its type.</summary>
    public void RecordWrite(object written)
    {
        foreach (var informer in Of(written.GetType()))
            informer.RecordWrite(written);
    }

    /// <summary>Runs all informers, also those that are asked for later, until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        lock (_gate)
        {
            if (_started is not null)
                throw new InvalidOperationException("The informers run already.");
            _started = ct;
            foreach (var informer in _informers.Values)
                _running.Add(Task.Run(() => informer.RunAsync(ct), CancellationToken.None));
        }

        var end = new TaskCompletionSource();
        await using (ct.Register(end.SetResult).ConfigureAwait(false))
            await end.Task.ConfigureAwait(false);
        Task[] running;
        lock (_gate)
            running = [.. _running];
        await Task.WhenAll(running).ConfigureAwait(false);
    }

    public async Task WaitForSyncAsync(CancellationToken ct)
    {
        foreach (var informer in All)
            await informer.WaitForSyncAsync(ct).ConfigureAwait(false);
    }
}
