using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace Graft.Runtime;

public static class OperatorEndpoints
{
    /// <summary>Maps /healthz (the process answers), /readyz (the caches are right) and /metrics.</summary>
    public static void MapOperatorEndpoints(this IEndpointRouteBuilder endpoints, OperatorHealth health, CollectorRegistry registry)
    {
        endpoints.MapGet("/healthz", () => "ok");
        endpoints.MapGet("/readyz", () => health.Problems() is { Count: > 0 } problems
            ? Results.Text(string.Join('\n', problems), statusCode: StatusCodes.Status503ServiceUnavailable)
            : Results.Text("ok"));
        endpoints.MapMetrics("/metrics", registry);
    }
}

/// <summary>A small web server of its own for the endpoints, so that the operator needs no other.</summary>
internal sealed class EndpointsService(OperatorSettings settings, OperatorHealth health, CollectorRegistry registry, ILoggerFactory loggers) : IHostedService
{
    private WebApplication? _app;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(loggers);
        builder.WebHost.UseUrls(settings.Endpoint!.AbsoluteUri);
        _app = builder.Build();
        _app.MapOperatorEndpoints(health, registry);
        await _app.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_app is null)
            return;
        await _app.StopAsync(cancellationToken).ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }
}
