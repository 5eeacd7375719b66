using Graft.Server.Adapters;
using Graft.Server.Endpoints;
using Graft.Server.Engine;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Prometheus;

namespace Graft.Server.Hosting;

/// <summary>The parts of a server, put together. It listens from the start and answers 503 until the model is there.</summary>
internal sealed class ServerHost : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly AdapterStore adapters;

    private ServerHost(WebApplication app, InferenceEngine engine, AdapterStore adapters)
    {
        this.app = app;
        this.adapters = adapters;
        Engine = engine;
    }

    public InferenceEngine Engine { get; }

    /// <summary>Where it listens, once started; differs from what was asked for when the port was 0.</summary>
    public Uri Address =>
        new(app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single());

    /// <summary>Cancelled when the process is told to stop.</summary>
    public CancellationToken Stopping => app.Lifetime.ApplicationStopping;

    public static ServerHost Create(ServerOptions options, Func<IEngineModel> load, TimeProvider clock, Func<string, string?> environment)
    {
        var app = Build(options);
        var loggers = app.Services.GetRequiredService<ILoggerFactory>();
        var metrics = new ServerMetrics();
        var engine = new InferenceEngine(load, options.Limits, metrics, clock, loggers.CreateLogger<InferenceEngine>());
        var adapters = new AdapterStore(
            engine, new AdapterPaths(options.AdapterRoots, environment), options.MaxAdapters, options.ServedModelName, metrics, clock,
            loggers.CreateLogger<AdapterStore>());
        var models = new ServedModels(options.ServedModelName, options.Model, engine, adapters, clock);

        app.UseMiddleware<ErrorResponses>(metrics);
        app.UseHostGuard(options.Endpoint.Address);
        app.UseRouting();
        app.MapApi(models, adapters, clock);
        app.MapMetrics("/metrics", metrics.Registry);
        return new ServerHost(app, engine, adapters);
    }

    /// <exception cref="IOException">The address cannot be listened on.</exception>
    public async Task StartAsync(CancellationToken cancel = default)
    {
        await app.StartAsync(cancel);
        Engine.Start();
    }

    /// <summary>Takes no more requests, waits for those that run within the grace period, then cuts them.</summary>
    public async Task StopAsync()
    {
        await app.StopAsync();
        Engine.Stop();
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        Engine.Dispose();
        adapters.Dispose();
    }

    // The empty builder reads no files and no variables: a server is what its command line says.
    private static WebApplication Build(ServerOptions options)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = options.GracePeriod);
        builder.Logging.AddSimpleConsole(o =>
        {
            o.SingleLine = true;
            o.UseUtcTimestamp = true;
            o.TimestampFormat = "yyyy-MM-ddTHH:mm:ssZ ";
        });
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None); // it says at length what is thrown as well
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(options.Endpoint);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxRequestBytes;
            kestrel.Limits.MaxConcurrentConnections = 1024;
        });
        return builder.Build();
    }
}
