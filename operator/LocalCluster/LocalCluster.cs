using System.Net;
using Graft.LocalCluster.Api.Hosting;
using Graft.LocalCluster.Kubelet.Logs;
using Graft.LocalCluster.Kubelet.Processes;
using Graft.LocalCluster.Network;
using k8s;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graft.LocalCluster;

/// <summary>Where and with what an embedded cluster runs.</summary>
public sealed record LocalClusterOptions
{
    /// <summary>Kubeconfig, logs and volumes lie here; made if it is not there.</summary>
    public required string StateFolder { get; init; }

    /// <summary>Objects are kept in the state folder, and the next start goes on with them; else they end with the process.</summary>
    public bool Keep { get; init; }

    /// <summary>A loopback address.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>0 takes any free port.</summary>
    public int Port { get; init; }

    /// <summary>Controllers, kubelet and Service addresses; null serves the API alone, and objects stay as they are written.</summary>
    public ClusterServicesOptions? Services { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;

    /// <summary>Told of every request of somebody who is not the administrator; must return at once and may be called in parallel.</summary>
    public Action<AccessRecord>? Audit { get; init; }

    /// <summary>What goes wrong; null for nothing, at no cost.</summary>
    public FaultInjector? Faults { get; init; }
}

/// <summary>
/// A Kubernetes API in this process, for kubectl and the operator, on a loopback address of this machine, and what makes its objects happen.
/// </summary>
public sealed class LocalCluster : IAsyncDisposable
{
    private readonly ApiServer _api;
    private readonly LoopbackBlock _addresses;
    private readonly FileStream _stateLock;
    private ClusterServices? _services;
    private int _disposed;

    private LocalCluster(ApiServer api, LoopbackBlock addresses, FileStream stateLock, string kubeconfigPath)
    {
        (_api, _addresses, _stateLock, KubeconfigPath) = (api, addresses, stateLock, kubeconfigPath);
    }

    /// <summary>How pods get their mounts on this machine; null without services.</summary>
    public Isolation? Isolation => _services?.Isolation;

    /// <summary>For <c>KUBECONFIG</c>; readable by its owner alone.</summary>
    public string KubeconfigPath { get; }

    public Uri Address => _api.Address;

    /// <summary>The connection of a client in this process.</summary>
    public KubernetesClientConfiguration ClientConfiguration => KubernetesClientConfiguration.BuildConfigFromConfigFile(KubeconfigPath);

    /// <summary>
    /// The connection of somebody else: what it may do is what the Roles and ClusterRoles allow that are stored and bound to it.
    /// </summary>
    /// <param name="user">As a binding's subject names it: a user, or <c>system:serviceaccount:NAMESPACE:NAME</c>.</param>
    public KubernetesClientConfiguration ConnectAs(string user)
    {
        var connection = ClientConfiguration;
        connection.AccessToken = _api.Access.Authenticator.Issue(user);
        return connection;
    }

    /// <summary>
    /// Cuts a node off from the API, as when its network fails: it becomes NotReady after its grace period, and its pods leave it by
    /// their tolerations.
    /// </summary>
    /// <exception cref="ArgumentException">No such node was declared.</exception>
    /// <exception cref="InvalidOperationException">The cluster runs no pods.</exception>
    public void LoseNode(string name) => (_services ?? throw new InvalidOperationException("There are no nodes without services.")).LoseNode(name);

    /// <summary>Ends what <see cref="LoseNode"/> began.</summary>
    public void ReturnNode(string name) => (_services ?? throw new InvalidOperationException("There are no nodes without services.")).ReturnNode(name);

    /// <exception cref="ArgumentException">The address is not a loopback address.</exception>
    /// <exception cref="IOException">The port is in use, the state folder cannot be written, or another cluster uses it.</exception>
    /// <exception cref="NotSupportedException">The isolation that the options force does not work here.</exception>
    public static async Task<LocalCluster> StartAsync(LocalClusterOptions options, CancellationToken cancellation = default)
    {
        if (options.Faults is { } faults)
            options = options with { Time = faults.Over(options.Time) };
        Directory.CreateDirectory(options.StateFolder);
        var stateLock = LockState(options.StateFolder);
        LoopbackBlock? addresses = null;
        LocalCluster cluster;
        try
        {
            addresses = options.Keep
                ? LoopbackBlock.Of(options.StateFolder, Path.GetTempPath(), Environment.ProcessId)
                : LoopbackBlock.Claim(Path.GetTempPath(), Environment.ProcessId);
            var kubeconfig = Path.Combine(options.StateFolder, "kubeconfig");
            var port = options is { Keep: true, Port: 0 } ? Kubeconfig.PortIn(kubeconfig) : options.Port;
            var api = await ApiServer.StartAsync(
                new ApiServerOptions(
                    new IPEndPoint(options.Address, port),
                    kubeconfig,
                    new LogFiles(options.StateFolder),
                    n => addresses.Service(n).ToString(),
                    options.Time,
                    options.Loggers,
                    options.Audit)
                {
                    Faults = options.Faults,
                    HasControllers = options.Services is not null,
                    Keep = options.Keep ? options.StateFolder : null,
                },
                cancellation);
            cluster = new LocalCluster(api, addresses, stateLock, kubeconfig);
        }
        catch
        {
            addresses?.Dispose();
            await stateLock.DisposeAsync();
            throw;
        }
        await cluster.StartServicesAsync(options, cancellation);
        return cluster;
    }

    private async Task StartServicesAsync(LocalClusterOptions options, CancellationToken cancellation)
    {
        if (options.Services is null) return;
        try
        {
            _services = await ClusterServices.StartAsync(
                ClientConfiguration, options.Services, options.StateFolder, _addresses, options.Time, options.Loggers, cancellation);
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    /// <summary>Two clusters in one folder would take each other's pods for leftovers.</summary>
    private static FileStream LockState(string folder)
    {
        try
        {
            return new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new IOException($"The state folder {folder} is in use by another local cluster, or cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Ends pods first, while there is an API that they are told from.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1) return;
        if (_services is not null) await _services.DisposeAsync();
        await _api.DisposeAsync();
        _addresses.Dispose();
        await _stateLock.DisposeAsync();
    }
}
