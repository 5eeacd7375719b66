using System.Collections.Concurrent;
using Graft.LocalCluster;
using Graft.Operator.Hosting;
using Graft.Operator.Pods;
using Graft.Runtime;
using k8s;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Cluster = Graft.LocalCluster.LocalCluster;

namespace Graft.Operator.Tests.FaultGate;

/// <summary>An operator that dies and is started anew. The dead one's token is worth nothing from then on, so it cannot write after its end.</summary>
internal sealed class MortalOperator(Cluster cluster, FaultInjector faults, IPodHttp programs) : IAsyncDisposable
{
    public const string User = "system:serviceaccount:graft-system:graft-operator";

    private static readonly OperatorOptions Options = new()
    {
        ProgressInterval = TimeSpan.FromMilliseconds(200), RetryInterval = TimeSpan.FromSeconds(2),
    };

    private readonly ConcurrentQueue<string> _log = new();
    private readonly SemaphoreSlim _turn = new(1);
    private IHost? _host;
    private bool _ended;

    public int Lives { get; private set; }

    public IEnumerable<string> Log => _log.TakeLast(40);

    public async Task StartAsync()
    {
        await _turn.WaitAsync();
        try
        {
            if (!_ended) await StartHostAsync(cluster.ConnectAs(User));
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>As <c>kill -9</c> and a new process would: at once it can do nothing more.</summary>
    public Task KillAsync()
    {
        var connection = cluster.ConnectAs(User);
        return Task.Run(async () =>
        {
            await _turn.WaitAsync();
            try
            {
                if (_ended) return;
                await StopHostAsync();
                await StartHostAsync(connection);
            }
            finally
            {
                _turn.Release();
            }
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync();
        _ended = true;
        await StopHostAsync();
        _turn.Dispose();
    }

    private async Task StartHostAsync(KubernetesClientConfiguration connection)
    {
        Lives++;
        var builder = Host.CreateEmptyApplicationBuilder(new() { DisableDefaults = true });
        builder.Logging.SetMinimumLevel(LogLevel.Information).AddProvider(new Lines(_log, $"life {Lives}"));
        builder.Services.AddSingleton(faults.Time!);
        builder.Services.AddGraftOperator(Options, settings =>
        {
            settings.Connection = connection;
            settings.LeaderElectionType = LeaderElectionType.None;
        });
        builder.Services.AddSingleton(programs);
        _host = builder.Build();
        await _host.StartAsync();
    }

    private async Task StopHostAsync()
    {
        if (_host is null) return;
        await _host.StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _host.Dispose();
        _host = null;
    }

    private sealed class Lines(ConcurrentQueue<string> lines, string life) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{life} {logLevel}: {formatter(state, exception)} {exception?.GetType().Name}");
    }
}
