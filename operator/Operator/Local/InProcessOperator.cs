using Graft.Operator.Hosting;
using Graft.Runtime;
using k8s;

namespace Graft.Operator.Local;

/// <summary>The controllers in this process; they know the cluster over HTTP like any operator.</summary>
internal sealed class InProcessOperator : IAsyncDisposable
{
    private readonly IHost _host;

    private InProcessOperator(IHost host) => _host = host;

    public static async Task<InProcessOperator> StartAsync(
        OperatorOptions options, KubernetesClientConfiguration connection, FileLoggers loggers, LogLevel level,
        CancellationToken cancellation)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new() { DisableDefaults = true });
        loggers.Configure(builder.Logging, level);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddGraftOperator(options, settings =>
        {
            settings.Connection = connection;
            settings.LeaderElectionType = LeaderElectionType.None;
        });
        var host = builder.Build();
        await host.StartAsync(cancellation);
        return new(host);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }

    // Signals belong to the command, which ends things in its own order.
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
