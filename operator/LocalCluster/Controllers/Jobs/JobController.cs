using System.Text.Json.Nodes;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Jobs;

/// <summary>Carries out what <see cref="JobDecision"/> says.</summary>
internal sealed class JobController(ControlPlane plane, EventRecorder events, JobTiming timing) : IEntityController<V1Job>
{
    private readonly Informer<V1Pod> _pods = plane.Informers.Get<V1Pod>();

    public static Controller<V1Job> Create(ControlPlane plane, EventRecorder events, JobTiming timing) =>
        new Controller<V1Job>(
            plane.Informers, new JobController(plane, events, timing),
            new ControllerOptions<V1Job> { ReconcileTerminating = true }, plane.Time, plane.Loggers).Owns<V1Pod>();

    public async Task<ReconciliationResult<V1Job>> ReconcileAsync(V1Job entity, CancellationToken cancellationToken)
    {
        // Somebody else's, by KEP-4368.
        if (entity.Spec.ManagedBy is { Length: > 0 } manager && manager != "kubernetes.io/job-controller")
            return ReconciliationResult<V1Job>.Success(entity);
        var plan = JobDecision.Decide(entity, _pods.OwnedBy(entity.Metadata.Uid), plane.Now, timing);
        if (plan.DeleteJob)
        {
            await plane.Client.DeleteAsync(entity, cancellationToken).ConfigureAwait(false);
            return ReconciliationResult<V1Job>.Success(entity);
        }
        for (var i = 0; i < plan.Create; i++)
            await CreatePodAsync(entity, plan.Indexes.Count > 0 ? plan.Indexes[i] : null, cancellationToken).ConfigureAwait(false);
        foreach (var pod in plan.Withdraw)
        {
            await ReleaseAsync(pod, cancellationToken).ConfigureAwait(false);
            await DeletePodAsync(entity, pod, cancellationToken).ConfigureAwait(false);
        }
        foreach (var pod in plan.Delete) await DeletePodAsync(entity, pod, cancellationToken).ConfigureAwait(false);

        if (!ControlPlane.Same(entity.Status, plan.Status))
        {
            entity.Status = plan.Status;
            await plane.UpdateStatusAsync(entity, cancellationToken).ConfigureAwait(false);
        }
        events.Publish(entity, plan.Events);
        // Only now: a pod whose end is not written down must stay.
        foreach (var pod in plan.Release) await ReleaseAsync(pod, cancellationToken).ConfigureAwait(false);
        return ReconciliationResult<V1Job>.Success(entity, plan.Again);
    }

    /// <summary>Nobody counts its pods any more.</summary>
    public async Task<ReconciliationResult<V1Job>> DeletedAsync(V1Job entity, CancellationToken cancellationToken)
    {
        foreach (var pod in _pods.List(entity.Metadata.NamespaceProperty).Where(p => JobPods.IsOf(p, entity.Metadata.Uid)))
            await ReleaseAsync(pod, cancellationToken).ConfigureAwait(false);
        return ReconciliationResult<V1Job>.Success(entity);
    }

    private async Task CreatePodAsync(V1Job job, IndexedPod? at, CancellationToken cancel)
    {
        try
        {
            var pod = await plane.CreateAsync(JobPods.Make(job, at), cancel).ConfigureAwait(false);
            events.Publish(job, "SuccessfulCreate", $"Created pod: {pod.Metadata.Name}");
        }
        catch (ApiException e)
        {
            events.Publish(job, "FailedCreate", $"Error creating: {e.Status.Message}", EventType.Warning);
            throw;
        }
    }

    private async Task DeletePodAsync(V1Job job, V1Pod pod, CancellationToken cancel)
    {
        if (await plane.Client.DeleteAsync(pod, cancel).ConfigureAwait(false))
            events.Publish(job, "SuccessfulDelete", $"Deleted pod: {pod.Metadata.Name}");
    }

    private async Task ReleaseAsync(V1Pod pod, CancellationToken cancel)
    {
        if (!JobTally.IsTracked(pod)) return;
        var left = pod.Metadata.Finalizers.Where(f => f != JobTally.Finalizer).Select(f => (JsonNode?)f).ToArray();
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["uid"] = pod.Metadata.Uid,
                ["resourceVersion"] = pod.Metadata.ResourceVersion,
                ["finalizers"] = new JsonArray(left),
            },
        };
        try
        {
            await plane.PatchAsync(pod, patch, cancel).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Gone already.
        }
    }
}
