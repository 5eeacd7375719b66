using System.Text.Json.Nodes;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>Binds pods to the one node, or says why not.</summary>
internal sealed class Scheduler(ControlPlane plane, EventRecorder events, string nodeName) : IEntityController<V1Pod>
{
    // A device may become free without an event that leads to the waiting pod.
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    private readonly Informer<V1Node> _nodes = plane.Informers.Get<V1Node>();
    private readonly Informer<V1Pod> _pods = plane.Informers.Get<V1Pod>();

    public static Controller<V1Pod> Create(ControlPlane plane, EventRecorder events, string nodeName) => new(
        plane.Informers, new Scheduler(plane, events, nodeName),
        new ControllerOptions<V1Pod> { Name = "scheduler", Predicate = (_, pod) => pod.Spec.NodeName is null or "" }, plane.Time, plane.Loggers);

    public async Task<ReconciliationResult<V1Pod>> ReconcileAsync(V1Pod entity, CancellationToken cancellationToken)
    {
        if (entity.Spec.NodeName is { Length: > 0 } || entity.Spec.SchedulingGates is { Count: > 0 } || Pods.IsTerminal(entity))
            return ReconciliationResult<V1Pod>.Success(entity);
        if (_nodes.Find(nodeName) is not { } node) return ReconciliationResult<V1Pod>.Success(entity, Retry);
        var placed = _pods.List().Where(p => p.Spec.NodeName == nodeName);
        if (Placement.Refuse(entity, node, placed) is { } refusal)
        {
            await SetScheduledAsync(entity, "False", "Unschedulable", refusal, cancellationToken).ConfigureAwait(false);
            return ReconciliationResult<V1Pod>.Success(entity, Retry);
        }
        var bind = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = entity.Metadata.Uid },
            ["spec"] = new JsonObject { ["nodeName"] = nodeName },
        };
        await plane.PatchAsync(entity, bind, cancellationToken).ConfigureAwait(false);
        await SetScheduledAsync(entity, "True", null, null, cancellationToken).ConfigureAwait(false);
        events.Publish(entity, "Scheduled", $"Successfully assigned {entity.Metadata.NamespaceProperty}/{entity.Metadata.Name} to {nodeName}");
        return ReconciliationResult<V1Pod>.Success(entity);
    }

    public Task<ReconciliationResult<V1Pod>> DeletedAsync(V1Pod entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<V1Pod>.Success(entity));

    private async Task SetScheduledAsync(V1Pod pod, string status, string? reason, string? message, CancellationToken cancel)
    {
        var known = Pods.Condition(pod, "PodScheduled");
        if (known?.Status == status && known.Message == message) return;
        if (reason is not null) events.Publish(pod, "FailedScheduling", message!, EventType.Warning);
        var condition = new V1PodCondition
        {
            Type = "PodScheduled", Status = status, Reason = reason, Message = message, LastTransitionTime = plane.Now.UtcDateTime,
        };
        // Strategic: conditions merge by type, and the kubelet writes the others at the same time.
        var patch = new JsonObject { ["status"] = new JsonObject { ["conditions"] = new JsonArray(ObjectJson.ToNode(condition)) } };
        await plane.Client.Resource<V1Pod>().PatchStatusAsync(
            pod.Metadata.Name, pod.Metadata.NamespaceProperty, Patch.Strategic(patch), ct: cancel).ConfigureAwait(false);
    }
}
