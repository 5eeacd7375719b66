using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Workloads;

/// <summary>Carries out what <see cref="ReplicaSetDecision"/> says.</summary>
internal sealed class ReplicaSetController(ControlPlane plane, EventRecorder events) : IEntityController<V1ReplicaSet>
{
    private readonly Informer<V1Pod> _pods = plane.Informers.Get<V1Pod>();

    public static Controller<V1ReplicaSet> Create(ControlPlane plane, EventRecorder events) =>
        new Controller<V1ReplicaSet>(
            plane.Informers, new ReplicaSetController(plane, events),
            new ControllerOptions<V1ReplicaSet> { ReconcileTerminating = true }, plane.Time, plane.Loggers).Owns<V1Pod>();

    public async Task<ReconciliationResult<V1ReplicaSet>> ReconcileAsync(V1ReplicaSet entity, CancellationToken cancellationToken)
    {
        var plan = ReplicaSetDecision.Decide(entity, _pods.OwnedBy(entity.Metadata.Uid), plane.Now);
        for (var i = 0; i < plan.Create; i++)
        {
            var pod = await plane.CreateAsync(Pods.FromTemplate(entity.Spec.Template, entity), cancellationToken).ConfigureAwait(false);
            events.Publish(entity, "SuccessfulCreate", $"Created pod: {pod.Metadata.Name}");
        }
        foreach (var pod in plan.Delete)
        {
            if (await plane.Client.DeleteAsync(pod, cancellationToken).ConfigureAwait(false))
                events.Publish(entity, "SuccessfulDelete", $"Deleted pod: {pod.Metadata.Name}");
        }
        if (!ControlPlane.Same(entity.Status, plan.Status))
        {
            entity.Status = plan.Status;
            await plane.UpdateStatusAsync(entity, cancellationToken).ConfigureAwait(false);
        }
        return ReconciliationResult<V1ReplicaSet>.Success(entity, plan.Again);
    }

    public Task<ReconciliationResult<V1ReplicaSet>> DeletedAsync(V1ReplicaSet entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<V1ReplicaSet>.Success(entity));
}
