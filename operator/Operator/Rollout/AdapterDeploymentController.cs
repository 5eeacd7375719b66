using Graft.Contract;
using Graft.Operator.Api;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.Rollout;

/// <summary>The caches that deployments are observed in.</summary>
internal sealed record RolloutCaches(
    Informer<V1Deployment> Deployments, Informer<V1Service> Services, Informer<V1Pod> Pods, Informer<FineTuneJob> FineTuneJobs)
{
    public const string DeploymentIndex = "adapter deployment";

    /// <summary>Pods by the AdapterDeployment that they are of.</summary>
    public static IEnumerable<string> DeploymentOf(V1Pod pod) =>
        pod.Metadata.Labels?.TryGetValue(ApiNames.AdapterDeploymentLabel, out var name) == true
            ? [$"{pod.Metadata.NamespaceProperty}/{name}"]
            : [];
}

/// <summary>
/// Observe, ask engines for what is missing, observe them again, plan, do. What the status says of an engine is always what
/// it listed last, never what it was asked for.
/// </summary>
[EntityRbac(typeof(AdapterDeployment), Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch)]
[EntityRbac(typeof(AdapterDeployment), Subresource = "status", Verbs = RbacVerb.Patch)]
[EntityRbac(typeof(AdapterDeployment), Subresource = "finalizers", Verbs = RbacVerb.Update)]
[EntityRbac(typeof(FineTuneJob), Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch)]
[EntityRbac(
    typeof(V1Deployment), typeof(V1Service), Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch | RbacVerb.Create | RbacVerb.Patch)]
[EntityRbac(typeof(V1Pod), Verbs = RbacVerb.Get | RbacVerb.List | RbacVerb.Watch)]
[EntityRbac(typeof(Corev1Event), Verbs = RbacVerb.Create | RbacVerb.Patch)]
internal sealed class AdapterDeploymentController(
    ApiClient client, RolloutCaches caches, IEngineClient engines, Applier applier, OperatorOptions options, TimeProvider time)
    : IEntityController<AdapterDeployment>
{
    public async Task<ReconciliationResult<AdapterDeployment>> ReconcileAsync(AdapterDeployment entity, CancellationToken cancellationToken)
    {
        var view = await WithReportsAsync(await ObserveAsync(entity, cancellationToken), cancellationToken);
        if (SourceUri.IsRemote(entity.Spec.Model.Source)) view = await WithStartingAsync(view, cancellationToken);
        view = await AskAsync(AdapterDeploymentPlanner.EngineCallsOf(entity, view, options), view, cancellationToken);
        var plan = AdapterDeploymentPlanner.Plan(entity, view, options, time.GetUtcNow());
        return await applier.ExecuteAsync(entity, plan, cancellationToken);
    }

    public Task<ReconciliationResult<AdapterDeployment>> DeletedAsync(AdapterDeployment entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<AdapterDeployment>.Success(entity));

    private async Task<AdapterDeploymentView> ObserveAsync(AdapterDeployment entity, CancellationToken cancellation)
    {
        var (ns, name) = (entity.Metadata.NamespaceProperty, entity.Metadata.Name);
        var runs = (entity.Spec.Adapters ?? []).Select(a => a.From.FineTuneJobRef?.Name).OfType<string>().Distinct(StringComparer.Ordinal);
        return new()
        {
            // The caches hold only what the operator made; somebody else's objects must be seen before they are written over.
            Deployment = caches.Deployments.Find(name, ns) ?? await client.GetAsync<V1Deployment>(name, ns, cancellation),
            Service = caches.Services.Find(name, ns) ?? await client.GetAsync<V1Service>(name, ns, cancellation),
            Pods = [.. caches.Pods.ByIndex(RolloutCaches.DeploymentIndex, $"{ns}/{name}")
                .Where(p => p.Metadata.DeletionTimestamp is null && p.Status?.Phase is not ("Succeeded" or "Failed"))
                .OrderBy(p => p.Metadata.Name, StringComparer.Ordinal)],
            FineTuneJobs = runs.Select(run => caches.FineTuneJobs.Find(run, ns)).OfType<FineTuneJob>()
                .ToDictionary(job => job.Metadata.Name, StringComparer.Ordinal),
        };
    }

    private async Task<AdapterDeploymentView> WithReportsAsync(AdapterDeploymentView view, CancellationToken cancellation)
    {
        var reports = await Task.WhenAll(view.ReadyPods.Select(async pod =>
            (pod.Metadata.Name, Report: await engines.ReportAsync(pod, cancellation))));
        return view with { Engines = reports.ToDictionary(r => r.Name, r => r.Report, StringComparer.Ordinal) };
    }

    private async Task<AdapterDeploymentView> WithStartingAsync(AdapterDeploymentView view, CancellationToken cancellation)
    {
        var words = await Task.WhenAll(view.Pods.Where(AdapterDeploymentView.IsStarting).Select(async pod =>
            (pod.Metadata.Name, (await engines.ReportAsync(pod, cancellation)).Doing)));
        return view with { Starting = words.Where(w => w.Doing is not null)
            .ToDictionary(w => w.Name, w => w.Doing!, StringComparer.Ordinal) };
    }

    // Pods in parallel, the calls of one pod in order: a path that changed is unloaded before it is loaded.
    private async Task<AdapterDeploymentView> AskAsync(
        IReadOnlyList<EngineCall> calls, AdapterDeploymentView view, CancellationToken cancellation)
    {
        if (calls.Count == 0) return view;
        var troubles = await Task.WhenAll(calls.GroupBy(c => c.Pod.Metadata.Name).Select(async pod =>
        {
            var met = new List<EngineTrouble>();
            foreach (var call in pod)
            {
                if (await engines.CallAsync(call, cancellation) is { } trouble) met.Add(trouble);
            }
            return met;
        }));
        return await WithReportsAsync(view with { Troubles = [.. troubles.SelectMany(t => t)] }, cancellation);
    }
}
