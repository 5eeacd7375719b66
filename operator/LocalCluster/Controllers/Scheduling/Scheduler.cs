using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>Binds pods to nodes, or says why not; one pod after the other, each seeing where the one before went.</summary>
internal sealed class Scheduler : IEntityController<V1Pod>
{
    private const string Name = "default-scheduler";
    // Something may become free without an event that leads to the waiting pod.
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(10);

    private readonly ControlPlane _plane;
    private readonly EventRecorder _events;
    private readonly Informer<V1Node> _nodes;
    private readonly Informer<V1Pod> _pods;
    private readonly Informer<V1Namespace> _namespaces;
    private readonly Informer<V1PersistentVolumeClaim> _claims;
    // Uid -> node of pods that were bound but do not show it yet.
    private readonly ConcurrentDictionary<string, string> _assumed = new(StringComparer.Ordinal);

    private Scheduler(ControlPlane plane, EventRecorder events)
    {
        (_plane, _events) = (plane, events);
        _nodes = plane.Informers.Get<V1Node>();
        _pods = plane.Informers.Get<V1Pod>();
        _namespaces = plane.Informers.Get<V1Namespace>();
        _claims = plane.Informers.Get<V1PersistentVolumeClaim>();
    }

    public static Controller<V1Pod> Create(ControlPlane plane, EventRecorder events)
    {
        var scheduler = new Scheduler(plane, events);
        return new Controller<V1Pod>(plane.Informers, scheduler,
                new ControllerOptions<V1Pod> { Name = "scheduler", Predicate = (_, pod) => Waits(pod) }, plane.Time, plane.Loggers)
            // What changes on a node or goes from it may be what a pod waits for.
            .Watches<V1Node>(_ => scheduler.Waiting())
            .Watches<V1PersistentVolumeClaim>(_ => scheduler.Waiting(), predicate: (old, _) => old is null)
            .Watches<V1Pod>(pod => pod.Spec.NodeName is { Length: > 0 } ? scheduler.Waiting() : [], predicate: (_, pod) => Pods.IsTerminal(pod));
    }

    public async Task<ReconciliationResult<V1Pod>> ReconcileAsync(V1Pod entity, CancellationToken cancellationToken)
    {
        if (!Waits(entity) || _assumed.ContainsKey(entity.Metadata.Uid)) return ReconciliationResult<V1Pod>.Success(entity);
        if (entity.Spec.SchedulingGates is { Count: > 0 })
        {
            await SetUnscheduledAsync(entity, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates", cancellationToken).ConfigureAwait(false);
            return ReconciliationResult<V1Pod>.Success(entity);
        }
        var decision = Decide(entity);
        if (decision.Node is null)
        {
            if (await SetUnscheduledAsync(entity, "Unschedulable", decision.Message!, cancellationToken).ConfigureAwait(false))
                _events.Publish(entity, "FailedScheduling", decision.Message!, EventType.Warning);
            return ReconciliationResult<V1Pod>.Success(entity, Retry);
        }
        await BindAsync(entity, decision.Node, cancellationToken).ConfigureAwait(false);
        return ReconciliationResult<V1Pod>.Success(entity);
    }

    public Task<ReconciliationResult<V1Pod>> DeletedAsync(V1Pod entity, CancellationToken cancellationToken)
    {
        _assumed.TryRemove(entity.Metadata.Uid, out _);
        return Task.FromResult(ReconciliationResult<V1Pod>.Success(entity));
    }

    private static bool Waits(V1Pod pod) =>
        pod.Spec.NodeName is null or "" && (pod.Spec.SchedulerName ?? Name) == Name && Pods.IsActive(pod);

    private List<ObjectKey> Waiting() => [.. _pods.List().Where(Waits).Select(p => ObjectKey.Of(p))];

    private SchedulingDecision Decide(V1Pod pod)
    {
        var pods = _pods.List();
        foreach (var shown in pods.Where(p => p.Spec.NodeName is { Length: > 0 })) _assumed.TryRemove(shown.Metadata.Uid, out _);
        var snapshot = ClusterSnapshot.Of(_nodes.List(), pods.Where(p => p.Metadata.Uid != pod.Metadata.Uid), _assumed, _namespaces.List());
        // volumebinding and volumezone refuse a pod before any node is looked at.
        var missing = (pod.Spec.Volumes ?? []).Select(v => v.PersistentVolumeClaim?.ClaimName).OfType<string>()
            .FirstOrDefault(name => _claims.Find(name, pod.Metadata.NamespaceProperty) is null);
        return missing is not null && snapshot.Nodes.Count > 0
            ? new SchedulingDecision(null, SchedulingDecision.Hopeless($"persistentvolumeclaim \"{missing}\" not found", snapshot.Nodes.Count))
            : SchedulingDecision.Decide(pod, snapshot);
    }

    private async Task BindAsync(V1Pod pod, string node, CancellationToken cancel)
    {
        _assumed[pod.Metadata.Uid] = node;
        try
        {
            var binding = new JsonObject
            {
                ["apiVersion"] = "v1", ["kind"] = "Binding",
                ["metadata"] = new JsonObject { ["name"] = pod.Metadata.Name, ["namespace"] = pod.Metadata.NamespaceProperty, ["uid"] = pod.Metadata.Uid },
                ["target"] = new JsonObject { ["kind"] = "Node", ["name"] = node },
            };
            await _plane.Client.Resource<V1Pod>().PostAsync(pod.Metadata.Name, pod.Metadata.NamespaceProperty, "binding", binding, cancel).ConfigureAwait(false);
        }
        catch
        {
            _assumed.TryRemove(pod.Metadata.Uid, out _);
            throw;
        }
        _events.Publish(pod, "Scheduled", $"Successfully assigned {pod.Metadata.NamespaceProperty}/{pod.Metadata.Name} to {node}");
    }

    /// <returns>Whether that was not said before.</returns>
    private async Task<bool> SetUnscheduledAsync(V1Pod pod, string reason, string message, CancellationToken cancel)
    {
        var known = Pods.Condition(pod, "PodScheduled");
        if (known?.Status == "False" && known.Reason == reason && known.Message == message) return false;
        var condition = new V1PodCondition
        {
            Type = "PodScheduled", Status = "False", Reason = reason, Message = message,
            LastTransitionTime = known?.Status == "False" ? known.LastTransitionTime : _plane.Now.UtcDateTime,
        };
        // Strategic: conditions merge by type, and the kubelet writes the others at the same time.
        var patch = new JsonObject { ["status"] = new JsonObject { ["conditions"] = new JsonArray(ObjectJson.ToNode(condition)) } };
        await _plane.Client.Resource<V1Pod>().PatchStatusAsync(
            pod.Metadata.Name, pod.Metadata.NamespaceProperty, Patch.Strategic(patch), ct: cancel).ConfigureAwait(false);
        return true;
    }
}
