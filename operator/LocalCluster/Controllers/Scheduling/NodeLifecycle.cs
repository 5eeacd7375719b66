using System.Text.Json.Nodes;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>
/// Watches over nodes as kube-controller-manager does: a node that is silent becomes unknown, conditions and cordons become taints, and
/// pods leave nodes whose taints they do not tolerate.
/// </summary>
internal sealed class NodeLifecycle : IEntityController<V1Node>
{
    private const string LeaseNamespace = "kube-node-lease";

    private readonly ControlPlane _plane;
    private readonly EventRecorder _events;
    private readonly NodeTiming _timing;
    private readonly Informer<V1Pod> _pods;
    private readonly Informer<V1Lease> _leases;
    // What was seen last of a node, and when by the clock of this process: clocks of nodes are not compared with it.
    private readonly Dictionary<string, (string Seen, DateTimeOffset At)> _heard = new(StringComparer.Ordinal);

    private NodeLifecycle(ControlPlane plane, EventRecorder events, NodeTiming timing)
    {
        (_plane, _events, _timing) = (plane, events, timing);
        _pods = plane.Informers.Get<V1Pod>();
        _leases = plane.Informers.Get<V1Lease>(new InformerOptions { Namespace = LeaseNamespace });
    }

    public static Controller<V1Node> Create(ControlPlane plane, EventRecorder events, NodeTiming timing) => new Controller<V1Node>(
            plane.Informers, new NodeLifecycle(plane, events, timing),
            new ControllerOptions<V1Node> { Name = "node-lifecycle", Predicate = (_, _) => true }, plane.Time, plane.Loggers)
        .Watches<V1Pod>(pod => pod.Spec.NodeName is { Length: > 0 } node ? [new ObjectKey("", node)] : [],
            predicate: (old, pod) => old?.Spec.NodeName != pod.Spec.NodeName || !ControlPlane.Same(old?.Spec.Tolerations, pod.Spec.Tolerations));

    public async Task<ReconciliationResult<V1Node>> ReconcileAsync(V1Node entity, CancellationToken cancellationToken)
    {
        var name = entity.Metadata.Name;
        if (!_heard.ContainsKey(name)) _events.Publish(entity, "RegisteredNode", $"Node {name} event: Registered Node {name} in Controller");
        if (Silence(entity) >= _timing.GracePeriod && NodeHealth.Lost(entity, _plane.Now) is { } conditions)
        {
            var wasReady = IsReady(entity);
            entity = await SetConditionsAsync(entity, conditions, cancellationToken).ConfigureAwait(false);
            if (wasReady) await TellNotReadyAsync(entity, cancellationToken).ConfigureAwait(false);
        }
        if (NodeHealth.TaintsOf(entity, _plane.Now) is { } taints) entity = await TaintAsync(entity, taints, cancellationToken).ConfigureAwait(false);
        var next = _timing.MonitorPeriod;
        foreach (var pod in PodsOf(name).Where(p => !Pods.IsDeleting(p)))
        {
            if (NodeHealth.Stay(pod.Spec, entity) is not { } stay) continue;
            var left = Since(entity) + stay - _plane.Now;
            if (left <= TimeSpan.Zero) await EvictAsync(pod, cancellationToken).ConfigureAwait(false);
            else if (left < next) next = left;
        }
        return ReconciliationResult<V1Node>.Success(entity, next);
    }

    public Task<ReconciliationResult<V1Node>> DeletedAsync(V1Node entity, CancellationToken cancellationToken)
    {
        var name = entity.Metadata.Name;
        if (_heard.Remove(name)) _events.Publish(entity, "RemovingNode", $"Node {name} event: Removing Node {name} from Controller");
        return Task.FromResult(ReconciliationResult<V1Node>.Success(entity));
    }

    private List<V1Pod> PodsOf(string node) => [.. _pods.List().Where(p => p.Spec.NodeName == node)];

    private static bool IsReady(V1Node node) => node.Status?.Conditions?.Any(c => c.Type == "Ready" && c.Status == "True") == true;

    /// <summary>How long nothing new was heard of a node: neither its Lease nor its own status changed.</summary>
    private TimeSpan Silence(V1Node node)
    {
        var name = node.Metadata.Name;
        var heartbeat = (node.Status?.Conditions ?? []).FirstOrDefault(c => c.Type == "Ready")?.LastHeartbeatTime;
        var seen = FormattableString.Invariant($"{_leases.Find(name, LeaseNamespace)?.Spec?.RenewTime:O} {heartbeat:O} {node.Metadata.Uid}");
        if (!_heard.TryGetValue(name, out var last) || last.Seen != seen) _heard[name] = last = (seen, _plane.Now);
        return _plane.Now - last.At;
    }

    private static DateTimeOffset Since(V1Node node) =>
        node.Spec.Taints.Where(t => t.Effect == "NoExecute").Select(t => (DateTimeOffset?)t.TimeAdded).Min() ?? DateTimeOffset.MinValue;

    private async Task<V1Node> SetConditionsAsync(V1Node node, IReadOnlyList<V1NodeCondition> conditions, CancellationToken cancel)
    {
        var patch = new JsonObject { ["status"] = new JsonObject { ["conditions"] = new JsonArray([.. conditions.Select(c => ObjectJson.ToNode(c))]) } };
        return await _plane.Client.Resource<V1Node>().PatchStatusAsync(node.Metadata.Name, null, Patch.Strategic(patch), ct: cancel).ConfigureAwait(false);
    }

    private async Task<V1Node> TaintAsync(V1Node node, IReadOnlyList<V1Taint> taints, CancellationToken cancel)
    {
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["resourceVersion"] = node.Metadata.ResourceVersion },
            ["spec"] = new JsonObject { ["taints"] = new JsonArray([.. taints.Select(t => ObjectJson.ToNode(t))]) },
        };
        var tainted = await _plane.Client.Resource<V1Node>().PatchAsync(node.Metadata.Name, null, Patch.Merge(patch), ct: cancel).ConfigureAwait(false);
        _plane.Informers.RecordWrite(tainted);
        return tainted;
    }

    /// <summary>Pods of a node that is not heard of do not count as ready any more.</summary>
    private async Task TellNotReadyAsync(V1Node node, CancellationToken cancel)
    {
        _events.Publish(node, "NodeNotReady", $"Node {node.Metadata.Name} status is now: NodeNotReady");
        foreach (var pod in PodsOf(node.Metadata.Name).Where(Pods.IsReady))
        {
            await SetConditionAsync(pod, new V1PodCondition
            {
                Type = "Ready", Status = "False", Reason = Pods.Condition(pod, "Ready")?.Reason, LastTransitionTime = _plane.Now.UtcDateTime,
            }, cancel).ConfigureAwait(false);
            _events.Publish(pod, "NodeNotReady", "Node is not ready", EventType.Warning);
        }
    }

    private async Task EvictAsync(V1Pod pod, CancellationToken cancel)
    {
        _events.Publish(pod, "TaintManagerEviction", $"Marking for deletion Pod {pod.Metadata.NamespaceProperty}/{pod.Metadata.Name}");
        await SetConditionAsync(pod, new V1PodCondition
        {
            Type = "DisruptionTarget", Status = "True", Reason = "DeletionByTaintManager", Message = "Taint manager: deleting due to NoExecute taint",
            LastTransitionTime = _plane.Now.UtcDateTime,
        }, cancel).ConfigureAwait(false);
        await _plane.Client.DeleteAsync(pod, cancel).ConfigureAwait(false);
    }

    private async Task SetConditionAsync(V1Pod pod, V1PodCondition condition, CancellationToken cancel)
    {
        var status = new JsonObject { ["conditions"] = new JsonArray(ObjectJson.ToNode(condition)) };
        try
        {
            await _plane.Client.Resource<V1Pod>().PatchStatusAsync(
                pod.Metadata.Name, pod.Metadata.NamespaceProperty, Patch.Strategic(new JsonObject { ["status"] = status }), ct: cancel).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // It went meanwhile.
        }
    }
}
