using System.Text.Json.Nodes;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Workloads;

/// <summary>Carries out what <see cref="DeploymentDecision"/> says.</summary>
internal sealed class DeploymentController(ControlPlane plane, EventRecorder events) : IEntityController<V1Deployment>
{
    private readonly Informer<V1ReplicaSet> _sets = plane.Informers.Get<V1ReplicaSet>();
    private readonly Informer<V1Pod> _pods = plane.Informers.Get<V1Pod>();

    public static Controller<V1Deployment> Create(ControlPlane plane, EventRecorder events)
    {
        var sets = plane.Informers.Get<V1ReplicaSet>();
        return new Controller<V1Deployment>(
                plane.Informers, new DeploymentController(plane, events),
                new ControllerOptions<V1Deployment> { ReconcileTerminating = true }, plane.Time, plane.Loggers)
            .Owns<V1ReplicaSet>()
            // A Recreate rollout waits for the end of pods, which no ReplicaSet counts once they are being deleted.
            .Watches<V1Pod>(
                pod => Owners.Of(pod, ResourceKind.Of<V1ReplicaSet>()).Select(sets.Find).OfType<V1ReplicaSet>()
                    .SelectMany(set => Owners.Of(set, ResourceKind.Of<V1Deployment>())),
                predicate: (_, pod) => Pods.IsDeleting(pod));
    }

    public async Task<ReconciliationResult<V1Deployment>> ReconcileAsync(V1Deployment entity, CancellationToken cancellationToken)
    {
        var sets = _sets.OwnedBy(entity.Metadata.Uid);
        var hash = TemplateHash.Of(entity.Spec.Template);
        var oldPods = sets.Where(s => s.Metadata.Labels?.TryGetValue(TemplateHash.Label, out var label) != true || label != hash)
            .SelectMany(s => _pods.OwnedBy(s.Metadata.Uid)).Any(p => !Pods.IsTerminal(p));
        var plan = DeploymentDecision.Decide(entity, sets, oldPods, plane.Now);

        if (plan.Create is not null) await plane.CreateAsync(plan.Create, cancellationToken).ConfigureAwait(false);
        foreach (var (set, replicas) in plan.Scale)
            await plane.PatchAsync(set, new JsonObject { ["spec"] = new JsonObject { ["replicas"] = replicas } }, cancellationToken).ConfigureAwait(false);
        if (plan.Current is not null) await AnnotateAsync(plan.Current, plan.Revision, cancellationToken).ConfigureAwait(false);
        foreach (var set in plan.Delete) await plane.Client.DeleteAsync(set, cancellationToken).ConfigureAwait(false);
        if (!DeploymentStatus.Same(entity.Status, plan.Status))
        {
            var updated = ObjectJson.Clone(entity);
            updated.Status = plan.Status;
            await plane.UpdateStatusAsync(updated, cancellationToken).ConfigureAwait(false);
        }
        await AnnotateAsync(entity, plan.Revision, cancellationToken).ConfigureAwait(false);
        events.Publish(entity, plan.Events);
        return ReconciliationResult<V1Deployment>.Success(entity, plan.Again);
    }

    public Task<ReconciliationResult<V1Deployment>> DeletedAsync(V1Deployment entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<V1Deployment>.Success(entity));

    private async Task AnnotateAsync<T>(T obj, string revision, CancellationToken cancel)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta>
    {
        if (obj.Metadata.DeletionTimestamp is not null) return;
        if (obj.Metadata.Annotations?.TryGetValue(DeploymentDecision.RevisionAnnotation, out var known) == true && known == revision) return;
        var annotations = new JsonObject { [DeploymentDecision.RevisionAnnotation] = revision };
        await plane.PatchAsync(obj, new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = annotations } }, cancel).ConfigureAwait(false);
    }
}
