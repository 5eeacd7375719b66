using Graft.Operator.Api;
using Graft.Operator.FineTuning;
using Graft.Operator.Pods;
using Graft.Operator.Rollout;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.Hosting;

/// <summary>Puts the controllers together; the same in a cluster and in <c>local</c>.</summary>
internal static class GraftControllers
{
    public static IServiceCollection AddGraftOperator(
        this IServiceCollection services, OperatorOptions options, Action<OperatorSettings> configure)
    {
        // Only what the operator made: a cluster's other pods, Jobs and Services are none of its business, and of its memory.
        var managed = new InformerOptions
        {
            Namespace = options.Namespace,
            LabelSelector = $"{ApiNames.ManagedByLabel}={ApiNames.FieldManager}",
        };
        services.AddSingleton(options);
        services.AddSingleton<IPodHttp>(sp => options.PodAccess == PodAccess.Direct
            ? new DirectPodHttp()
            : new ProxyPodHttp(sp.GetRequiredService<ApiClient>()));
        services.AddSingleton(sp => new ProgressClient(sp.GetRequiredService<IPodHttp>(), options.ProgressTimeout));
        services.AddSingleton<IEngineClient>(sp => new EngineClient(
            sp.GetRequiredService<IPodHttp>(), options.ProgressTimeout, options.EngineTimeout));

        services.AddSingleton(sp => Informer<V1Job>(sp, managed));
        services.AddSingleton(sp => Informer<V1Pod>(sp, managed));
        services.AddSingleton(sp =>
        {
            var pods = sp.GetRequiredService<Informer<V1Pod>>();
            pods.AddIndex(RolloutCaches.DeploymentIndex, RolloutCaches.DeploymentOf);
            return new RolloutCaches(
                Informer<V1Deployment>(sp, managed), Informer<V1Service>(sp, managed), pods, Informer<FineTuneJob>(sp, null));
        });

        var builder = services.AddKubernetesOperator(settings =>
        {
            settings.Name = ApiNames.FieldManager;
            settings.Namespace = options.Namespace;
            configure(settings);
        });
        builder.AddController<FineTuneJobController, FineTuneJob>(new() { MaxConcurrentReconciles = 4 })
            .Owns<V1Job>(managed)
            .Watches<V1Pod>(pod => KeyByLabel(pod, ApiNames.FineTuneJobLabel), managed);
        builder.AddController<AdapterDeploymentController, AdapterDeployment>(new() { MaxConcurrentReconciles = 4 })
            .Owns<V1Deployment>(managed)
            .Owns<V1Service>(managed)
            .Watches<V1Pod>(pod => KeyByLabel(pod, ApiNames.AdapterDeploymentLabel), managed)
            .Watches<FineTuneJob>(sp => DeploymentsThatName(sp.GetRequiredService<InformerSet>()), predicate: OutcomeChanged);
        return services;
    }

    private static Informer<T> Informer<T>(IServiceProvider services, InformerOptions? selection)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta> =>
        services.GetRequiredService<InformerSet>().Get<T>(selection);

    private static IEnumerable<ObjectKey> KeyByLabel(V1Pod pod, string label) =>
        pod.Metadata.Labels?.TryGetValue(label, out var name) == true ? [new(pod.Metadata.NamespaceProperty, name)] : [];

    private static Func<FineTuneJob, IEnumerable<ObjectKey>> DeploymentsThatName(InformerSet informers)
    {
        var deployments = informers.Get<AdapterDeployment>();
        return job => deployments.List(job.Metadata.NamespaceProperty)
            .Where(d => d.Spec.Adapters?.Any(a => a.From.FineTuneJobRef?.Name == job.Metadata.Name) == true)
            .Select(d => ObjectKey.Of(d));
    }

    // Not every step of its progress: a deployment only wants to know where a run stands.
    private static bool OutcomeChanged(FineTuneJob? old, FineTuneJob job) =>
        old is null || old.Status?.Phase != job.Status?.Phase || old.Status?.Artifact?.Digest != job.Status?.Artifact?.Digest
        || old.Status?.Conditions.Find(ConditionTypes.Stalled)?.Status != job.Status?.Conditions.Find(ConditionTypes.Stalled)?.Status;
}
