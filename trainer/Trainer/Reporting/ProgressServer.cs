using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Graft.Contract;
using Graft.Trainer.Runs;
using Microsoft.AspNetCore.Connections;

namespace Graft.Trainer.Reporting;

/// <summary>Answers <c>/progress</c>, <c>/metrics</c> and <c>/health</c> while a run goes on.</summary>
internal sealed class ProgressServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private ProgressServer(WebApplication app) => this.app = app;

    /// <exception cref="RunFailedException">Class <see cref="FailureClass.Infrastructure"/> when the address cannot be had.</exception>
    public static async Task<ProgressServer> StartAsync(IPAddress address, int port, ProgressBoard board)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Listen(address, port);
        });
        // The run decides when the process ends; the server must not listen for signals of its own.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        var app = builder.Build();
        var metrics = new RunMetrics(board);
        app.Run(context => Answer(context, address, board, metrics));
        try
        {
            await app.StartAsync();
            return new ProgressServer(app);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await app.DisposeAsync();
            var why = e.InnerException is AddressInUseException || e.Message.Contains("in use", StringComparison.OrdinalIgnoreCase)
                ? "is in use by another program; stop that, or choose another port with --port"
                : $"cannot be listened on ({e.Message}); set {ContractEnvironment.PodIp} to an address of this machine";
            throw new RunFailedException(FailureClass.Infrastructure,
                string.Create(CultureInfo.InvariantCulture, $"{address}:{port} {why}"), e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        // A reader who keeps its connection open must not hold the process up.
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }

    private static Task Answer(HttpContext context, IPAddress address, ProgressBoard board, RunMetrics metrics)
    {
        if (!LocalHosts.MayAsk(address, context.Request.Host.Host))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return context.Response.WriteAsync(LocalHosts.Refusal + "\n");
        }
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return Task.CompletedTask;
        }
        switch (context.Request.Path.Value)
        {
            case "/progress":
                context.Response.ContentType = "application/json";
                return context.Response.Body.WriteAsync(
                    JsonSerializer.SerializeToUtf8Bytes(board.Snapshot, ContractJson.Compact.Progress)).AsTask();
            case "/metrics":
                context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
                return metrics.WriteAsync(context.Response.Body, context.RequestAborted);
            case "/health":
                return context.Response.WriteAsync("ok\n");
            default:
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return context.Response.WriteAsync("there are /progress, /metrics and /health\n");
        }
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
