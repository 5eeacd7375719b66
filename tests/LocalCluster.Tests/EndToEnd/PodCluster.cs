using System.Diagnostics;
using System.Text;
using Graft.LocalCluster.Controllers.Scheduling;
using Graft.LocalCluster.Kubelet;
using Graft.LocalCluster.Kubelet.Processes;
using Graft.LocalCluster.Tests.Kubelet;
using Graft.Runtime;
using k8s;
using k8s.Models;

namespace Graft.LocalCluster.Tests.EndToEnd;

/// <summary>A whole local cluster whose one image is a shell, and typed access to it.</summary>
public sealed class PodCluster : IAsyncDisposable
{
    public const string Shell = "test/shell:1";
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();
    private int _names;

    public LocalCluster Cluster { get; private set; } = null!;

    public ApiClient Client { get; private set; } = null!;

    public string State => Path.Combine(_folder.Path, "state");

    /// <summary>A folder that hostPath volumes may show.</summary>
    public string Allowed => _folder.Sub("allowed");

    /// <summary>A folder that they may not.</summary>
    public string Forbidden => _folder.Sub("forbidden");

    public static async Task<PodCluster> StartAsync(
        Isolation? isolation = null, Dictionary<string, string>? claims = null, IReadOnlyList<V1Node>? nodes = null, NodeTiming? timing = null)
    {
        var result = new PodCluster();
        result.Cluster = await LocalCluster.StartAsync(new LocalClusterOptions
        {
            StateFolder = result.State,
            Services = new ClusterServicesOptions
            {
                FirstJobBackoff = TimeSpan.FromMilliseconds(100),
                Claims = claims ?? [],
                Nodes = nodes,
                NodeTiming = timing ?? NodeTiming.Default,
                Kubelet = new KubeletOptions
                {
                    Images = new Dictionary<string, ImageProgram> { [Shell] = new("/bin/sh", "-c") },
                    HostFolders = [result.Allowed],
                    PathVariables = [new PathVariable("/graft/output", "GRAFT_OUTPUT_DIR"), new PathVariable("/dev/termination-log", "GRAFT_TERMINATION_LOG")],
                    Isolation = isolation,
                    FirstRestartPause = TimeSpan.FromMilliseconds(200),
                },
            },
        });
        result.Client = new ApiClient(result.Cluster.ClientConfiguration, new ApiClientOptions { FieldManager = "test" });
        return result;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Cluster.DisposeAsync();
        _folder.Dispose();
    }

    public string Name(string prefix) => $"{prefix}-{Interlocked.Increment(ref _names)}";

    public static V1Container Container(string script, string name = "main") => new()
    {
        Name = name, Image = Shell, Args = [script],
        Env = [new V1EnvVar { Name = "POD_IP", ValueFrom = new V1EnvVarSource { FieldRef = new V1ObjectFieldSelector { FieldPath = "status.podIP" } } }],
    };

    public V1Pod Pod(string script, Action<V1Pod>? change = null)
    {
        var pod = new V1Pod
        {
            ApiVersion = "v1", Kind = "Pod",
            Metadata = new V1ObjectMeta { Name = Name("pod"), NamespaceProperty = "default" },
            Spec = new V1PodSpec { RestartPolicy = "Never", Containers = [Container(script)] },
        };
        change?.Invoke(pod);
        return pod;
    }

    public async Task<V1Pod> RunAsync(string script, Action<V1Pod>? change = null) => await Client.CreateAsync(Pod(script, change));

    public async Task<V1Pod> RunToEndAsync(string script, Action<V1Pod>? change = null)
    {
        var pod = await RunAsync(script, change);
        return await UntilAsync<V1Pod>(pod.Metadata.Name, p => p?.Status?.Phase is "Succeeded" or "Failed");
    }

    /// <summary>Polls an object until it is as wanted.</summary>
    public async Task<T> UntilAsync<T>(string name, Func<T?, bool> condition) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var obj = await Client.GetAsync<T>(name, typeof(T) == typeof(V1Node) ? null : "default");
            if (condition(obj)) return obj!;
            if (clock.Elapsed > Patience)
                Assert.Fail($"{typeof(T).Name} {name} did not become as wanted: {(obj is null ? "gone" : KubernetesJson.Serialize(obj))}\n{await EventsAsync(name)}");
            await Task.Delay(50);
        }
    }

    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < Patience, what);
            await Task.Delay(20);
        }
    }

    public async Task<string> LogAsync(string pod)
    {
        using var reader = new StreamReader(await Client.PodLogAsync(pod, "default"), Encoding.UTF8);
        return await reader.ReadToEndAsync();
    }

    public async Task<string> EventsAsync(string about)
    {
        var events = await Client.ListAsync<Corev1Event>("default");
        return string.Join('\n', events.Where(e => e.InvolvedObject.Name.StartsWith(about, StringComparison.Ordinal)).Select(e => $"{e.Type} {e.Reason}: {e.Message}"));
    }

    public async Task UntilEventAsync(string about, string reason, string part = "")
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var events = await Client.ListAsync<Corev1Event>("default");
            if (events.Any(e => e.InvolvedObject.Name == about && e.Reason == reason && e.Message.Contains(part, StringComparison.Ordinal))) return;
            if (clock.Elapsed > Patience) Assert.Fail($"no event {reason} with \"{part}\" of {about}:\n{await EventsAsync(about)}");
            await Task.Delay(50);
        }
    }
}

/// <summary>One cluster for the tests of a class.</summary>
public sealed class PodClusterFixture : IAsyncLifetime
{
    public PodCluster Cluster { get; private set; } = null!;

    public async Task InitializeAsync() => Cluster = await PodCluster.StartAsync();

    public async Task DisposeAsync() => await Cluster.DisposeAsync();
}
