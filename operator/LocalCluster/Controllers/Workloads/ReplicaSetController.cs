using System.Text.Json.Nodes;
using Graft.LocalCluster.Controllers.Scheduling;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Workloads;

/// <summary>Carries out what <see cref="ReplicaSetDecision"/> says.</summary>
internal sealed class ReplicaSetController(ControlPlane plane, EventRecorder events) : IEntityController<V1ReplicaSet>
{
    private readonly Informer<V1Pod> _pods = plane.Informers.Get<V1Pod>();

    public static Controller<V1ReplicaSet> Create(ControlPlane plane, EventRecorder events)
    {
        var sets = plane.Informers.Get<V1ReplicaSet>();
        return new Controller<V1ReplicaSet>(
                plane.Informers, new ReplicaSetController(plane, events),
                new ControllerOptions<V1ReplicaSet> { ReconcileTerminating = true }, plane.Time, plane.Loggers)
            .Owns<V1Pod>()
            .Watches<V1Pod>(pod => pod.Metadata.OwnerReferences?.Any(o => o.Controller == true) == true ? [] : sets
                .List(pod.Metadata.NamespaceProperty).Where(s => LabelSelectors.Matches(s.Spec.Selector, pod.Metadata.Labels)).Select(s => ObjectKey.Of(s)));
    }

    public async Task<ReconciliationResult<V1ReplicaSet>> ReconcileAsync(V1ReplicaSet entity, CancellationToken cancellationToken)
    {
        var claims = ReplicaSetDecision.Claim(entity, _pods.List(entity.Metadata.NamespaceProperty));
        foreach (var pod in claims.Adopt) await OwnAsync(pod, [.. pod.Metadata.OwnerReferences ?? [], Pods.ControllerReference(entity)], cancellationToken).ConfigureAwait(false);
        foreach (var pod in claims.Let)
            await OwnAsync(pod, [.. pod.Metadata.OwnerReferences.Where(o => o.Uid != entity.Metadata.Uid)], cancellationToken).ConfigureAwait(false);
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

    /// <summary>Says of exactly this version of a pod who owns it.</summary>
    private async Task OwnAsync(V1Pod pod, IReadOnlyList<V1OwnerReference> owners, CancellationToken cancel)
    {
        var metadata = new JsonObject
        {
            ["uid"] = pod.Metadata.Uid, ["resourceVersion"] = pod.Metadata.ResourceVersion, ["ownerReferences"] = ObjectJson.ToNode(owners),
        };
        try
        {
            await plane.PatchAsync(pod, new JsonObject { ["metadata"] = metadata }, cancel).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Gone meanwhile.
        }
    }

    public Task<ReconciliationResult<V1ReplicaSet>> DeletedAsync(V1ReplicaSet entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<V1ReplicaSet>.Success(entity));
}
