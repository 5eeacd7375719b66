using Graft.Contract;
using Graft.LocalCluster;
using Graft.LocalCluster.Kubelet;
using k8s;
using Cluster = Graft.LocalCluster.LocalCluster;

namespace Graft.Operator.Local;

/// <summary>
/// The embedded cluster with our two programs as its images, the folders that a person named, and nothing else of this
/// machine.
/// </summary>
internal sealed class EmbeddedCluster : IAsyncDisposable
{
    // What a person has set for Python tools holds for the pods of this machine too, where the command line says nothing.
    private static readonly string[] FetchVariables =
        [ContractEnvironment.HubEndpoint, ContractEnvironment.Offline, ContractEnvironment.S3Endpoint, ContractEnvironment.S3Region];

    private readonly Cluster _cluster;
    private readonly ILoggerFactory _loggers;

    private EmbeddedCluster(Cluster cluster, ILoggerFactory loggers) => (_cluster, _loggers) = (cluster, loggers);

    public Uri Address => _cluster.Address;

    public string KubeconfigPath => _cluster.KubeconfigPath;

    public KubernetesClientConfiguration Connection => _cluster.ClientConfiguration;

    /// <exception cref="LocalFailure">
    /// The port is in use, the state folder cannot be written, another cluster uses it, or the file of nodes cannot be read.
    /// </exception>
    public static async Task<EmbeddedCluster> StartAsync(
        LocalOptions options, LocalProgram trainer, LocalProgram server, FileLoggers file, FaultInjector? faults, TimeProvider time,
        CancellationToken cancellation)
    {
        var nodes = options.Nodes is { } path ? NodeFile.Read(path) : null;
        var loggers = LoggerFactory.Create(logging => file.Configure(logging, options.LogLevel));
        try
        {
            var cluster = await Cluster.StartAsync(new()
            {
                StateFolder = options.StateFolder,
                Keep = options.KeepsObjects,
                Port = options.Port,
                Time = time,
                Faults = faults,
                Loggers = loggers,
                Services = new() { Kubelet = Kubelet(options, trainer, server), Claims = options.Claims, Nodes = nodes },
            }, cancellation);
            return new(cluster, loggers);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            loggers.Dispose();
            throw new LocalFailure(e.Message, e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _loggers.Dispose();
    }

    private static KubeletOptions Kubelet(LocalOptions options, LocalProgram trainer, LocalProgram server) => new()
    {
        Images = new Dictionary<string, ImageProgram>(StringComparer.Ordinal)
        {
            [options.TrainerImage] = new(trainer.Path, trainer.Arguments),
            [options.ServerImage] = new(server.Path, server.Arguments),
        },
        HostFolders =
            [options.Folder, .. options.Substitutes.Values, .. options.Fetch.CacheFolder is { } cache ? [cache] : Array.Empty<string>()],
        PathVariables = [.. ContractPaths.All.Select(p => new PathVariable(p.Path, p.Variable))],
        InheritedVariables = [.. new KubeletOptions().InheritedVariables, "GRAFT_LIBTORCH", .. FetchVariables],
    };
}
