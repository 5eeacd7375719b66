using System.Text.Json.Nodes;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>Ends pods of nodes that are no more: nobody is left who could (pkg/controller/podgc, gcOrphaned).</summary>
internal sealed class OrphanedPods(ControlPlane plane, NodeTiming timing) : IEntityController<V1Pod>
{
    private readonly Informer<V1Node> _nodes = plane.Informers.Get<V1Node>();
    private readonly Dictionary<string, DateTimeOffset> _missing = new(StringComparer.Ordinal);

    public static Controller<V1Pod> Create(ControlPlane plane, NodeTiming timing)
    {
        var pods = plane.Informers.Get<V1Pod>();
        return new Controller<V1Pod>(plane.Informers, new OrphanedPods(plane, timing),
                new ControllerOptions<V1Pod>
                {
                    Name = "orphaned-pods", ReconcileTerminating = true, Predicate = (old, pod) => old?.Spec.NodeName != pod.Spec.NodeName,
                }, plane.Time, plane.Loggers)
            .Watches<V1Node>(node => pods.List().Where(p => p.Spec.NodeName == node.Metadata.Name).Select(p => ObjectKey.Of(p)),
                predicate: (_, _) => false);
    }

    public async Task<ReconciliationResult<V1Pod>> ReconcileAsync(V1Pod entity, CancellationToken cancellationToken)
    {
        if (entity.Spec.NodeName is not { Length: > 0 } node) return ReconciliationResult<V1Pod>.Success(entity);
        if (_nodes.Find(node) is not null)
        {
            _missing.Remove(node);
            return ReconciliationResult<V1Pod>.Success(entity);
        }
        _missing.TryAdd(node, plane.Now);
        var left = _missing[node] + timing.OrphanQuarantine - plane.Now;
        if (left > TimeSpan.Zero) return ReconciliationResult<V1Pod>.Success(entity, left);
        if (!Pods.IsTerminal(entity)) await FailAsync(entity, cancellationToken).ConfigureAwait(false);
        await plane.Client.Resource<V1Pod>().DeleteAsync(entity.Metadata.Name, entity.Metadata.NamespaceProperty,
            new DeleteOptions { GracePeriodSeconds = 0, Uid = entity.Metadata.Uid }, cancellationToken).ConfigureAwait(false);
        return ReconciliationResult<V1Pod>.Success(entity);
    }

    public Task<ReconciliationResult<V1Pod>> DeletedAsync(V1Pod entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<V1Pod>.Success(entity));

    private async Task FailAsync(V1Pod pod, CancellationToken cancel)
    {
        var condition = new V1PodCondition
        {
            Type = "DisruptionTarget", Status = "True", Reason = "DeletionByPodGC", Message = "PodGC: node no longer exists",
            LastTransitionTime = plane.Now.UtcDateTime,
        };
        var status = new JsonObject { ["phase"] = "Failed", ["conditions"] = new JsonArray(ObjectJson.ToNode(condition)) };
        await plane.Client.Resource<V1Pod>().PatchStatusAsync(pod.Metadata.Name, pod.Metadata.NamespaceProperty,
            Patch.Strategic(new JsonObject { ["status"] = status }), ct: cancel).ConfigureAwait(false);
    }
}
