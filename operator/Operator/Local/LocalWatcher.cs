using Graft.Operator.Api;
using Graft.Operator.Pods;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.Local;

/// <summary>Looks at the applied resources until they are done, one failed, or the time is up.</summary>
internal sealed class LocalWatcher(ApiClient client, IReadOnlyList<Applied> applied, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <summary>A pod that is in trouble for so long will stay so: here nothing else brings images, nodes or claims.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <exception cref="LocalFailure">Something failed for good, or took longer than <paramref name="timeout"/>.</exception>
    public async Task<LocalSnapshot> WatchAsync(Action<LocalSnapshot> show, TimeSpan timeout, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        long? troubled = null;
        while (true)
        {
            var snapshot = await SnapshotAsync(cancellation);
            show(snapshot);
            if (snapshot.IsDone) return snapshot;
            if (snapshot.Failure is { } failure) throw new LocalFailure(failure);
            troubled = snapshot.PodProblems.Count == 0 ? null : troubled ?? time.GetTimestamp();
            if (troubled is { } since && time.GetElapsedTime(since) > Patience)
                throw new LocalFailure(string.Join('\n', snapshot.PodProblems));
            if (time.GetElapsedTime(started) > timeout)
                throw new LocalFailure($"not done within {ShortDuration.Format(timeout)}: {Waiting(snapshot)}");
            await Task.Delay(Interval, time, cancellation);
        }
    }

    private async Task<LocalSnapshot> SnapshotAsync(CancellationToken cancellation)
    {
        var runs = await AllAsync<FineTuneJob>(nameof(FineTuneJob), cancellation);
        var deployments = await AllAsync<AdapterDeployment>(nameof(AdapterDeployment), cancellation);
        var pods = await client.ListAsync<V1Pod>(null, $"{ApiNames.ManagedByLabel}={ApiNames.FieldManager}", cancellation);
        return new(runs, deployments, [.. pods.Where(CannotStart).Select(p => PodProblem.Of(p)).OfType<string>()]);
    }

    private static bool CannotStart(V1Pod pod) =>
        pod.Status?.Phase is null or "Pending"
        && pod.Status?.ContainerStatuses?.Any(c => c.State?.Running is not null || c.State?.Terminated is not null) != true;

    private async Task<IReadOnlyList<T>> AllAsync<T>(string kind, CancellationToken cancellation)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta>
    {
        var found = new List<T>();
        foreach (var one in applied.Where(a => a.Kind == kind))
        {
            found.Add(await client.GetAsync<T>(one.Name, one.Namespace, cancellation)
                ?? throw new LocalFailure($"{kind} {one.Name} was deleted"));
        }
        return found;
    }

    private static string Waiting(LocalSnapshot snapshot)
    {
        var conditions = snapshot.Runs.Select(r => (r.Metadata.Name, r.Status?.Conditions))
            .Concat(snapshot.Deployments.Select(d => (d.Metadata.Name, d.Status?.Conditions)));
        var open = conditions.FirstOrDefault(c => !c.Conditions.IsTrue(ConditionTypes.Ready));
        return $"{open.Name}: {open.Conditions.Find(ConditionTypes.Ready)?.Message ?? "nothing has looked at it; is an operator running?"}";
    }
}
