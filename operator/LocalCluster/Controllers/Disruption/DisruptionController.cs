using Graft.LocalCluster.Controllers.Scheduling;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Disruption;

/// <summary>Keeps the status of PodDisruptionBudgets as <see cref="DisruptionDecision"/> says.</summary>
internal sealed class DisruptionController(ControlPlane plane, EventRecorder events) : IEntityController<V1PodDisruptionBudget>
{
    private readonly Informer<V1Pod> _pods = plane.Informers.Get<V1Pod>();
    private readonly Informer<V1ReplicaSet> _sets = plane.Informers.Get<V1ReplicaSet>();
    private readonly Informer<V1Deployment> _deployments = plane.Informers.Get<V1Deployment>();

    public static Controller<V1PodDisruptionBudget> Create(ControlPlane plane, EventRecorder events)
    {
        var budgets = plane.Informers.Get<V1PodDisruptionBudget>();
        IEnumerable<ObjectKey> In(string ns) => budgets.List(ns).Select(b => ObjectKey.Of(b));
        return new Controller<V1PodDisruptionBudget>(
                plane.Informers, new DisruptionController(plane, events),
                new ControllerOptions<V1PodDisruptionBudget> { Name = "disruption", Predicate = (_, _) => true }, plane.Time, plane.Loggers)
            .Watches<V1Pod>(pod => budgets.List(pod.Metadata.NamespaceProperty)
                .Where(b => LabelSelectors.Matches(b.Spec.Selector, pod.Metadata.Labels)).Select(b => ObjectKey.Of(b)))
            .Watches<V1ReplicaSet>(set => In(set.Metadata.NamespaceProperty))
            .Watches<V1Deployment>(deployment => In(deployment.Metadata.NamespaceProperty));
    }

    public async Task<ReconciliationResult<V1PodDisruptionBudget>> ReconcileAsync(V1PodDisruptionBudget entity, CancellationToken cancellationToken)
    {
        var pods = _pods.List(entity.Metadata.NamespaceProperty).Where(p => LabelSelectors.Matches(entity.Spec.Selector, p.Metadata.Labels)).ToList();
        if (pods.Count == 0) events.Publish(entity, "NoPods", "No matching pods found");
        var plan = DisruptionDecision.Decide(entity, pods, Scale(pods), plane.Now);
        if (!ControlPlane.Same(entity.Status, plan.Status))
        {
            entity.Status = plan.Status;
            await plane.UpdateStatusAsync(entity, cancellationToken).ConfigureAwait(false);
        }
        return ReconciliationResult<V1PodDisruptionBudget>.Success(entity, plan.Again);
    }

    public Task<ReconciliationResult<V1PodDisruptionBudget>> DeletedAsync(V1PodDisruptionBudget entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<V1PodDisruptionBudget>.Success(entity));

    /// <summary>Replicas wanted by all controllers of the pods, each once; pods without a controller are not counted.</summary>
    private int? Scale(List<V1Pod> pods)
    {
        var wanted = new Dictionary<string, int>();
        foreach (var owner in pods.SelectMany(p => p.Metadata.OwnerReferences ?? []).Where(o => o.Controller == true).DistinctBy(o => o.Uid))
        {
            var ns = pods[0].Metadata.NamespaceProperty;
            if (owner.Kind != "ReplicaSet" || _sets.Find(owner.Name, ns) is not { } set) return null;
            var deployment = set.Metadata.OwnerReferences?.FirstOrDefault(o => o is { Controller: true, Kind: "Deployment" }) is { } above
                ? _deployments.Find(above.Name, ns)
                : null;
            if (deployment is not null) wanted[deployment.Metadata.Uid] = deployment.Spec.Replicas ?? 1;
            else wanted[owner.Uid] = set.Spec.Replicas ?? 1;
        }
        return wanted.Values.Sum();
    }
}
