using Graft.Operator.Api;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.FineTuning;

/// <summary>Observe, plan, do. What to do is the planner's; doing it is the applier's.</summary>
[EntityRbac(typeof(FineTuneJob), Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch | RbacVerb.Delete)]
[EntityRbac(typeof(FineTuneJob), Subresource = "status", Verbs = RbacVerb.Patch)]
[EntityRbac(typeof(FineTuneJob), Subresource = "finalizers", Verbs = RbacVerb.Update)]
[EntityRbac(typeof(V1Job), Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch | RbacVerb.Create | RbacVerb.Patch | RbacVerb.Delete)]
[EntityRbac(typeof(V1ConfigMap), Verbs = RbacVerb.Get | RbacVerb.Create | RbacVerb.Patch)]
[EntityRbac(typeof(V1Pod), Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch)]
[EntityRbac(typeof(Corev1Event), Verbs = RbacVerb.Create | RbacVerb.Patch)]
internal sealed class FineTuneJobController(
    ApiClient client, Informer<V1Job> jobs, Informer<V1Pod> pods, ProgressClient progress, Applier applier,
    OperatorOptions options, TimeProvider time)
    : IEntityController<FineTuneJob>
{
    public async Task<ReconciliationResult<FineTuneJob>> ReconcileAsync(FineTuneJob entity, CancellationToken cancellationToken)
    {
        var view = await ObserveAsync(entity, cancellationToken);
        var plan = FineTuneJobPlanner.Plan(entity, view, options, time.GetUtcNow());
        return await applier.ExecuteAsync(entity, plan, cancellationToken);
    }

    // Owner references clean up in the API, and artifacts stay.
    public Task<ReconciliationResult<FineTuneJob>> DeletedAsync(FineTuneJob entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<FineTuneJob>.Success(entity));

    private async Task<FineTuneJobView> ObserveAsync(FineTuneJob entity, CancellationToken cancellation)
    {
        var (name, ns) = (TrainerObjects.JobName(entity), entity.Metadata.NamespaceProperty);
        if (FineTuneJobPlanner.IsFinal(entity.Status)) return FineTuneJobView.Empty with { Job = jobs.Find(name, ns) };
        // The cache holds only what the operator made; somebody else's Job of this name must be seen before it is written over.
        var job = jobs.Find(name, ns) ?? await client.GetAsync<V1Job>(name, ns, cancellation);
        if (job is null) return FineTuneJobView.Empty;
        var view = new FineTuneJobView
        {
            Job = job,
            Pods = [.. (RunState.HasEnded(job) ? await ListPodsAsync(entity, job, cancellation) : pods.OwnedBy(job.Metadata.Uid))
                .OrderBy(p => p.Metadata.CreationTimestamp).ThenBy(p => p.Metadata.Name, StringComparer.Ordinal)],
        };
        var running = view.Active is { } pod && PodOutcome.Container(pod)?.State?.Running is not null ? pod : null;
        return running is null ? view : view with { Progress = await progress.ReadAsync(running, cancellation) };
    }

    // How a run ended is concluded once and for all, and a result that is not there costs its Job. The caches of Jobs and of pods hear from
    // the server by themselves: a Job may be known as complete before its pod is known to have ended, so here the server itself is asked.
    private async Task<IEnumerable<V1Pod>> ListPodsAsync(FineTuneJob entity, V1Job job, CancellationToken cancellation) =>
        (await client.ListAsync<V1Pod>(
            entity.Metadata.NamespaceProperty, $"{ApiNames.FineTuneJobLabel}={entity.Metadata.Name}", cancellation))
        .Where(pod => pod.Metadata.OwnerReferences?.Any(owner => owner.Uid == job.Metadata.Uid) == true);
}
