using k8s;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace Graft.Runtime;

public static class OperatorServices
{
    /// <summary>
    /// Adds what controllers need: <see cref="ApiClient"/>, <see cref="InformerSet"/>, <see cref="EventRecorder"/>,
    /// <see cref="Applier"/>, metrics, health, and the service that runs the controllers while this process leads. TimeProvider and
    /// CollectorRegistry are the container's, when it has them.
    /// </summary>
    public static OperatorBuilder AddKubernetesOperator(this IServiceCollection services, Action<OperatorSettings>? configure = null)
    {
        var settings = new OperatorSettings();
        configure?.Invoke(settings);
        services.AddSingleton(settings);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(_ => Metrics.NewCustomRegistry());
        services.TryAddSingleton(sp => new ControllerMetrics(sp.GetRequiredService<CollectorRegistry>()));
        services.TryAddSingleton(sp => new ApiClient(
            settings.Connection ?? KubernetesClientConfiguration.BuildDefaultConfig(),
            new ApiClientOptions { FieldManager = settings.Name, TimeProvider = sp.GetRequiredService<TimeProvider>() },
            sp.GetRequiredService<ControllerMetrics>().RequestCounter()));
        services.TryAddSingleton(sp => new InformerSet(
            sp.GetRequiredService<ApiClient>(), sp.GetRequiredService<TimeProvider>(), sp.GetRequiredService<ILoggerFactory>(), settings.Namespace));
        services.TryAddSingleton(sp => new EventRecorder(
            sp.GetRequiredService<ApiClient>(), settings.Name, sp.GetRequiredService<TimeProvider>(), sp.GetRequiredService<ILogger<EventRecorder>>()));
        services.TryAddSingleton<EventPublisher>(sp => sp.GetRequiredService<EventRecorder>().PublishAsync);
        services.TryAddSingleton<Applier>();
        services.TryAddSingleton<OperatorHealth>();
        services.AddSingleton<OperatorService>();
        services.AddSingleton<IHostedService>(sp => sp.GetRequiredService<OperatorService>());
        if (settings.Endpoint is not null)
            services.AddHostedService<EndpointsService>();
        return new OperatorBuilder(services);
    }
}

public class OperatorBuilder
{
    internal OperatorBuilder(IServiceCollection services) => Services = services;

    public IServiceCollection Services { get; }

    /// <summary>Adds a controller for a kind. What it owns and watches is said on the result.</summary>
    public ControllerBuilder<TEntity> AddController<TImplementation, TEntity>(ControllerOptions<TEntity>? options = null)
        where TImplementation : class, IEntityController<TEntity>
        where TEntity : class, IKubernetesObject<V1ObjectMeta>
    {
        Services.TryAddSingleton<TImplementation>();
        var builder = new ControllerBuilder<TEntity>(Services);
        Services.AddSingleton<IController>(sp => builder.Build(sp, sp.GetRequiredService<TImplementation>(), options));
        return builder;
    }

    /// <summary>Adds a finalizer: its name is put on every object of the kind before its controller first sees it.</summary>
    /// <param name="identifier">A qualified name, for instance `example.com/cleanup`.</param>
    public OperatorBuilder AddFinalizer<TImplementation, TEntity>(string identifier)
        where TImplementation : class, IEntityFinalizer<TEntity>
        where TEntity : class, IKubernetesObject<V1ObjectMeta>
    {
        if (!identifier.Contains('/', StringComparison.Ordinal))
            throw new ArgumentException($"'{identifier}' is no qualified name; write it like example.com/{identifier}.", nameof(identifier));
        Services.TryAddSingleton<TImplementation>();
        Services.AddSingleton(sp => new NamedFinalizer<TEntity>(identifier, sp.GetRequiredService<TImplementation>()));
        return this;
    }
}

/// <summary>Says what leads to reconciles of a controller, besides its own kind.</summary>
public sealed class ControllerBuilder<TEntity> : OperatorBuilder where TEntity : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly List<Action<Controller<TEntity>, IServiceProvider>> _sources = [];

    internal ControllerBuilder(IServiceCollection services) : base(services) { }

    /// <inheritdoc cref="Controller{T}.Owns"/>
    public ControllerBuilder<TEntity> Owns<TChild>(InformerOptions? selection = null, EventPredicate<TChild>? predicate = null)
        where TChild : class, IKubernetesObject<V1ObjectMeta>
    {
        _sources.Add((controller, _) => controller.Owns(selection, predicate));
        return this;
    }

    /// <inheritdoc cref="Controller{T}.Watches"/>
    public ControllerBuilder<TEntity> Watches<TOther>(
        Func<TOther, IEnumerable<ObjectKey>> map, InformerOptions? selection = null, EventPredicate<TOther>? predicate = null)
        where TOther : class, IKubernetesObject<V1ObjectMeta>
    {
        _sources.Add((controller, _) => controller.Watches(map, selection, predicate));
        return this;
    }

    /// <summary>As above, with a map that needs services, for instance the informers to search in.</summary>
    public ControllerBuilder<TEntity> Watches<TOther>(
        Func<IServiceProvider, Func<TOther, IEnumerable<ObjectKey>>> map, InformerOptions? selection = null, EventPredicate<TOther>? predicate = null)
        where TOther : class, IKubernetesObject<V1ObjectMeta>
    {
        _sources.Add((controller, services) => controller.Watches(map(services), selection, predicate));
        return this;
    }

    internal Controller<TEntity> Build(IServiceProvider services, IEntityController<TEntity> implementation, ControllerOptions<TEntity>? options)
    {
        var controller = new Controller<TEntity>(
            services.GetRequiredService<InformerSet>(), implementation, options, services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILoggerFactory>(), services.GetRequiredService<ControllerMetrics>(),
            services.GetServices<NamedFinalizer<TEntity>>().ToDictionary(f => f.Identifier, f => f.Finalizer));
        foreach (var source in _sources)
            source(controller, services);
        return controller;
    }
}

internal sealed record NamedFinalizer<TEntity>(string Identifier, IEntityFinalizer<TEntity> Finalizer)
    where TEntity : IKubernetesObject<V1ObjectMeta>;
