using System.Collections.Frozen;
using Graft.LocalCluster.Controllers;
using Graft.LocalCluster.Controllers.Disruption;
using Graft.LocalCluster.Controllers.Garbage;
using Graft.LocalCluster.Controllers.Jobs;
using Graft.LocalCluster.Controllers.Scheduling;
using Graft.LocalCluster.Controllers.Services;
using Graft.LocalCluster.Controllers.Volumes;
using Graft.LocalCluster.Controllers.Workloads;
using Graft.LocalCluster.Kubelet;
using Graft.LocalCluster.Kubelet.Nodes;
using Graft.LocalCluster.Kubelet.Processes;
using Graft.LocalCluster.Network;
using Graft.Runtime;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Graft.LocalCluster;

/// <summary>How pods, Jobs and volumes of an embedded cluster behave.</summary>
public sealed record ClusterServicesOptions
{
    public KubeletOptions Kubelet { get; init; } = new();

    /// <summary>
    /// The cluster's nodes: labels, taints, and in status.capacity and status.allocatable what pods may take of them. Pods of all of them
    /// run on this machine; devices are counted, and not made. Null is one node, <c>local</c>, which has what the machine has.
    /// </summary>
    public IReadOnlyList<V1Node>? Nodes { get; init; }

    public NodeTiming NodeTiming { get; init; } = NodeTiming.Default;

    /// <summary>Claim name -> folder of this machine that is its volume; other claims get a folder in the state folder.</summary>
    public IReadOnlyDictionary<string, string> Claims { get; init; } = new Dictionary<string, string>();

    /// <summary>Pause before a Job's pod is replaced after its first failure; it doubles with each further one.</summary>
    public TimeSpan FirstJobBackoff { get; init; } = JobTiming.Default.FirstBackoff;
}

/// <summary>
/// Everything that makes the API's objects happen: controllers, scheduler, kubelet and Service addresses. All of them are
/// clients of the API like any other; they know neither its store nor each other.
/// </summary>
internal sealed class ClusterServices : IAsyncDisposable
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(5);

    private readonly ApiClient _client;
    private readonly List<EventRecorder> _recorders = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private List<IController> _controllers = [];
    private Task _running = Task.CompletedTask;
    private ServiceProxy? _proxy;
    private LocalKubelet? _kubelet;
    private NodeAgents? _nodes;

    private ClusterServices(ApiClient client, TimeProvider time, ILogger logger) => (_client, _time, _logger) = (client, time, logger);

    /// <summary>How pods get their mounts on this machine.</summary>
    public Isolation Isolation => _kubelet!.Isolation;

    /// <exception cref="NotSupportedException">The isolation that the options force does not work here.</exception>
    public static async Task<ClusterServices> StartAsync(
        KubernetesClientConfiguration connection, ClusterServicesOptions options, string stateFolder, LoopbackBlock addresses,
        TimeProvider time, ILoggerFactory loggers, CancellationToken cancel)
    {
        var client = new ApiClient(connection, new ApiClientOptions { FieldManager = "graft-local", TimeProvider = time });
        var services = new ClusterServices(client, time, loggers.CreateLogger<ClusterServices>());
        try
        {
            await services.BeginAsync(options, Path.GetFullPath(stateFolder), addresses, loggers, cancel).ConfigureAwait(false);
            return services;
        }
        catch
        {
            await services.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task BeginAsync(
        ClusterServicesOptions options, string stateFolder, LoopbackBlock addresses, ILoggerFactory loggers, CancellationToken cancel)
    {
        var plane = new ControlPlane(_client, new InformerSet(_client, _time, loggers), _time, loggers);
        EventRecorder Recorder(string component)
        {
            var recorder = new EventRecorder(_client, component, _time, loggers.CreateLogger<EventRecorder>());
            _recorders.Add(recorder);
            return recorder;
        }

        _nodes = new NodeAgents(
            _client, options.Nodes ?? [LocalNode.Make(LocalNode.CountGpus())], options.NodeTiming.LeasePeriod, _time, loggers.CreateLogger<NodeAgents>());
        await _nodes.RegisterAsync(cancel).ConfigureAwait(false);
        var claims = new ClaimFolders(stateFolder, options.Claims.ToFrozenDictionary(c => c.Key, c => Path.GetFullPath(c.Value)));
        var jobTiming = JobTiming.Default with { FirstBackoff = options.FirstJobBackoff };
        _kubelet = await LocalKubelet.StartAsync(
            plane, Recorder("kubelet"), _nodes, options.Kubelet, stateFolder, claims.Bindings.Values, addresses, cancel).ConfigureAwait(false);
        _proxy = new ServiceProxy(plane, Recorder("service-proxy"));
        _controllers =
        [
            JobController.Create(plane, Recorder("job-controller"), jobTiming),
            ReplicaSetController.Create(plane, Recorder("replicaset-controller")),
            DeploymentController.Create(plane, Recorder("deployment-controller")),
            DisruptionController.Create(plane, Recorder("controllermanager")),
            ClaimController.Create(plane, Recorder("persistentvolume-controller"), claims),
            Scheduler.Create(plane, Recorder("default-scheduler")),
            NodeLifecycle.Create(plane, Recorder("node-controller"), options.NodeTiming),
            OrphanedPods.Create(plane, options.NodeTiming),
            EndpointController.Create(plane),
            _proxy.CreateController(),
            new GarbageCollector(plane),
        ];
        var informers = plane.Informers.RunAsync(_stop.Token);
        _running = Task.WhenAll([informers, _nodes.RunAsync(_stop.Token), .. _controllers.Select(c => c.RunAsync(_stop.Token))]);
    }

    /// <summary>Cuts a node off: nothing of it reaches the API any more, while its pods go on as they were.</summary>
    /// <exception cref="ArgumentException">No such node was declared.</exception>
    public void LoseNode(string name) => _nodes!.Lose(name);

    public void ReturnNode(string name) => _kubelet!.Return(name);

    /// <summary>Ends all pods within their shutdown grace, then stops everything else. The API must still be there.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_kubelet is not null) await _kubelet.DisposeAsync().ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAny(_running, Task.Delay(StopPatience, _time)).ConfigureAwait(false);
        if (_running.IsFaulted) _logger.LogError(_running.Exception, "A controller failed");
        if (_proxy is not null) await _proxy.DisposeAsync().ConfigureAwait(false);
        foreach (var recorder in _recorders) await recorder.DisposeAsync().ConfigureAwait(false);
        foreach (var controller in _controllers.OfType<IDisposable>()) controller.Dispose();
        _client.Dispose();
        _stop.Dispose();
    }
}
