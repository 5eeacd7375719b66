using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Graft.Runtime;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Graft.LocalCluster.Controllers.Garbage;

/// <summary>
/// Deletes what lost its owners, of every kind that is served, and carries out foreground and orphan deletion. The graph only
/// says where to look: that an owner is gone is asked of the API before anything is deleted.
/// </summary>
internal sealed class GarbageCollector : IController, IDisposable
{
    private readonly ControlPlane _plane;
    private readonly OwnerGraph _graph = new();
    private readonly WorkQueue<string> _queue;
    private readonly ConcurrentDictionary<ResourceKind, (ObjectWatch Watch, CancellationTokenSource Stop, Task Run)> _watches = new();
    private readonly Channel<bool> _kindsChanged = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ILogger _logger;

    public GarbageCollector(ControlPlane plane)
    {
        _plane = plane;
        _queue = new WorkQueue<string>(plane.Time);
        _logger = plane.Loggers.CreateLogger<GarbageCollector>();
        plane.Informers.Get<V1CustomResourceDefinition>().AddHandler(_ => _kindsChanged.Writer.TryWrite(true));
    }

    public string Name => "garbage-collector";

    public async Task RunAsync(CancellationToken ct)
    {
        _kindsChanged.Writer.TryWrite(true);
        var following = FollowKindsAsync(ct);
        await WorkAsync(ct).ConfigureAwait(false);
        await following.ConfigureAwait(false);
        await Task.WhenAll(_watches.Values.Select(w => w.Run)).ConfigureAwait(false);
    }

    private async Task FollowKindsAsync(CancellationToken cancel)
    {
        try
        {
            await foreach (var _ in _kindsChanged.Reader.ReadAllAsync(cancel).ConfigureAwait(false))
            {
                try
                {
                    Follow(await ServedKinds.ReadAsync(_plane.Client, cancel).ConfigureAwait(false), cancel);
                }
                catch (Exception e) when (e is ApiException or HttpRequestException or IOException or System.Text.Json.JsonException)
                {
                    _logger.LogWarning("Kinds not read, trying again: {Problem}", e.Message);
                    await Task.Delay(TimeSpan.FromSeconds(1), _plane.Time, cancel).ConfigureAwait(false);
                    _kindsChanged.Writer.TryWrite(true);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private void Follow(IReadOnlyList<ResourceKind> kinds, CancellationToken cancel)
    {
        foreach (var gone in _watches.Keys.Except(kinds).ToList())
        {
            if (_watches.TryRemove(gone, out var watch)) watch.Stop.Cancel();
        }
        foreach (var kind in kinds.Where(k => !_watches.ContainsKey(k)))
        {
            var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            var watch = new ObjectWatch(_plane, kind, _graph, Enqueue, _logger);
            _watches[kind] = (watch, stop, Task.Run(() => watch.RunAsync(stop.Token), CancellationToken.None));
        }
    }

    private void Enqueue(IReadOnlyList<string> uids)
    {
        foreach (var uid in uids) _queue.Add(uid);
    }

    private async Task WorkAsync(CancellationToken cancel)
    {
        try
        {
            while (!cancel.IsCancellationRequested)
            {
                var uid = await _queue.TakeAsync(cancel).ConfigureAwait(false);
                try
                {
                    if (_graph.Find(uid) is { } node) await CollectAsync(node, cancel).ConfigureAwait(false);
                    _queue.Forget(uid);
                }
                catch (Exception e) when (e is ApiException or HttpRequestException or IOException)
                {
                    _logger.LogDebug("Object {Uid} not collected, trying again: {Problem}", uid, e.Message);
                    _queue.AddRateLimited(uid);
                }
                finally
                {
                    _queue.Done(uid);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
        {
            // The end.
        }
    }

    private async Task CollectAsync(ObjectNode node, CancellationToken cancel)
    {
        var owners = new Dictionary<string, OwnerState>();
        foreach (var owner in node.Owners) owners[owner.Uid] = await StateAsync(owner, node, cancel).ConfigureAwait(false);
        var dependents = _graph.DependentsOf(node.Uid);
        foreach (var step in GarbageDecision.Decide(node, dependents, owners)) await DoAsync(step, node, cancel).ConfigureAwait(false);
        // In the foreground, dependents are looked at again: their owner waits for them now.
        if (node.WaitsForDependents) Enqueue([.. dependents.Select(d => d.Uid)]);
    }

    private async Task<OwnerState> StateAsync(OwnerLink owner, ObjectNode of, CancellationToken cancel)
    {
        if (_graph.Find(owner.Uid) is { } known)
        {
            // An owner in another namespace is none.
            if (known.Namespace.Length > 0 && known.Namespace != of.Namespace) return OwnerState.Absent;
            return known.WaitsForDependents ? OwnerState.WaitsForDependents : OwnerState.Solid;
        }
        // A kind that is not served (yet) may come back with its objects.
        if (_watches.Keys.FirstOrDefault(k => k.Kind == owner.Kind && k.Group == owner.Group) is not { } kind) return OwnerState.Solid;
        var found = await _plane.Client.Resource(kind).GetAsync(owner.Name, kind.Namespaced ? of.Namespace : null, cancel).ConfigureAwait(false);
        return found is not null && (string?)found["metadata"]?["uid"] == owner.Uid ? OwnerState.Solid : OwnerState.Absent;
    }

    private async Task DoAsync(GarbageStep step, ObjectNode node, CancellationToken cancel)
    {
        switch (step)
        {
            case GarbageStep.Delete delete:
                var options = new DeleteOptions { PropagationPolicy = delete.Foreground ? "Foreground" : "Background", Uid = node.Uid };
                await _plane.Client.Resource(node.Kind).DeleteAsync(node.Name, node.Namespace, options, cancel).ConfigureAwait(false);
                break;
            case GarbageStep.DropOwners drop:
                await DropOwnersAsync(node, drop.Uids, cancel).ConfigureAwait(false);
                break;
            case GarbageStep.OrphanDependents orphan:
                foreach (var dependent in orphan.Dependents) await DropOwnersAsync(dependent, new HashSet<string> { node.Uid }, cancel).ConfigureAwait(false);
                break;
            case GarbageStep.RemoveFinalizer finalizer:
                await PatchAsync(node, "finalizers", new JsonArray([.. node.Finalizers.Where(f => f != finalizer.Name).Select(f => (JsonNode?)f)]), cancel).ConfigureAwait(false);
                break;
            default:
                throw new InvalidOperationException($"No way to do {step}");
        }
    }

    private async Task DropOwnersAsync(ObjectNode node, IReadOnlySet<string> uids, CancellationToken cancel)
    {
        var current = await _plane.Client.Resource(node.Kind).GetAsync(node.Name, node.Namespace, cancel).ConfigureAwait(false);
        if (current is null || (string?)current["metadata"]?["uid"] != node.Uid) return;
        var left = (current["metadata"]!["ownerReferences"] as JsonArray ?? []).Where(o => !uids.Contains((string?)o?["uid"] ?? "")).Select(o => o?.DeepClone());
        await PatchAsync(ObjectNode.Of(node.Kind, current), "ownerReferences", new JsonArray([.. left]), cancel).ConfigureAwait(false);
    }

    private async Task PatchAsync(ObjectNode node, string field, JsonArray value, CancellationToken cancel)
    {
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = node.Uid, ["resourceVersion"] = node.ResourceVersion, [field] = value },
        };
        try
        {
            await _plane.Client.Resource(node.Kind).PatchAsync(node.Name, node.Namespace, Patch.Merge(patch), ct: cancel).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Gone meanwhile.
        }
    }

    public void Dispose()
    {
        _queue.Dispose();
        foreach (var watch in _watches.Values) watch.Stop.Dispose();
    }
}
