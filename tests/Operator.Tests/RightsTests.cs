using System.Collections.Concurrent;
using Graft.LocalCluster;
using Graft.Operator.Api;
using Graft.Operator.Generate;
using Graft.Operator.Hosting;
using Graft.Operator.Local;
using Graft.Runtime;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Cluster = Graft.LocalCluster.LocalCluster;

namespace Graft.Operator.Tests;

/// <summary>
/// The operator's road with no right but those that <c>generate</c> writes: the API evaluates the generated roles, and the test plays
/// the controllers and kubelets.
/// </summary>
public sealed class RightsTests : IAsyncLifetime
{
    private const string User = "system:serviceaccount:graft-system:graft-operator";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("graft-rights-").FullName;
    private readonly ConcurrentQueue<AccessRecord> _records = new();
    private Cluster _cluster = null!;
    private ApiClient _admin = null!;
    private ProgramInPod _program = null!;

    public async Task InitializeAsync()
    {
        _cluster = await Cluster.StartAsync(new() { StateFolder = _folder, Audit = _records.Enqueue });
        _admin = new ApiClient(_cluster.ClientConfiguration, new ApiClientOptions { FieldManager = "test" });
        _program = await ProgramInPod.StartAsync();
        foreach (var definition in GeneratedFiles.Definitions) await _admin.ApplyAsync(definition);
        await ApplyAsync(OperatorManifests.Namespace());
        foreach (var obj in OperatorManifests.Rbac()) await ApplyAsync(obj);
    }

    public async Task DisposeAsync()
    {
        await _program.DisposeAsync();
        _admin.Dispose();
        await _cluster.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("Direct")]
    [InlineData("Proxy")]
    public async Task The_operators_whole_road_needs_no_right_that_is_not_generated(string access)
    {
        var podAccess = Enum.Parse<PodAccess>(access);
        if (podAccess == PodAccess.Proxy) await GrantOutsideAsync();
        using var host = Build(podAccess);
        await host.StartAsync();
        await TrainAsync();
        await ServeAsync();
        await host.StopAsync();

        var refused = _records.Where(r => !r.Allowed).Select(r => r.Request.ToString()).Distinct().ToList();
        Assert.True(refused.Count == 0, string.Join('\n', refused));
        var used = _records.Select(r => r.Request).Select(r => $"{r.Verb} {r.RuleResource}").ToHashSet();
        foreach (var right in new[]
        {
            "create leases", "update leases", "create jobs", "patch finetunejobs/status", "delete finetunejobs", "create deployments",
            "create services", "patch adapterdeployments/status", "create configmaps", "watch pods", "create events",
        })
            Assert.Contains(right, used);
        Assert.Equal(podAccess == PodAccess.Proxy, used.Contains("create pods/proxy"));
    }

    private IHost Build(PodAccess access)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new() { DisableDefaults = true });
        builder.Logging.ClearProviders();
        var options = new OperatorOptions { PodAccess = access, ProgressInterval = TimeSpan.FromSeconds(1) };
        builder.Services.AddGraftOperator(options, settings =>
        {
            settings.Connection = _cluster.ConnectAs(User);
            settings.LeaderElectionNamespace = "graft-system";
        });
        return builder.Build();
    }

    private static string Run(string timeToLive) => """
        apiVersion: graft.dev/v1alpha1
        kind: FineTuneJob
        metadata: {name: intents, namespace: default}
        spec:
          model: {source: pvc://models/tiny}
          data: {train: [{source: pvc://datasets/train.jsonl}]}
          method: {lora: {}}
          output: {pvc: {claimName: adapters}}
          ttlAfterFinished: {succeeded: TIME}
        """.Replace("TIME", timeToLive, StringComparison.Ordinal);

    private async Task TrainAsync()
    {
        await ApplyAsync(Run(timeToLive: "1h"));
        var job = await UntilAsync<V1Job>("intents", j => j is not null);
        var pod = Pod(job!, "intents-abc", "trainer", job!.Spec.Template.Metadata.Labels);
        await StandAsync(pod, Make.Running, ready: false);
        await UntilAsync<FineTuneJob>("intents", j => j?.Status?.Progress?.Step == 3);
        await StandAsync(pod, Make.Ended(0, Make.Result(Make.Success())), ready: false);
        job = await _admin.GetAsync<V1Job>("intents", "default");
        job!.Status = new() { StartTime = DateTime.UtcNow, CompletionTime = DateTime.UtcNow, Succeeded = 1 };
        job.Status.Conditions = [new() { Type = "SuccessCriteriaMet", Status = "True" }, new() { Type = "Complete", Status = "True" }];
        await _admin.UpdateStatusAsync(job);
        await UntilAsync<FineTuneJob>("intents", j => j?.Status?.Phase == "Succeeded");
    }

    private async Task ServeAsync()
    {
        await ApplyAsync("""
            apiVersion: graft.dev/v1alpha1
            kind: AdapterDeployment
            metadata: {name: support, namespace: default}
            spec:
              model: {source: pvc://models/tiny}
              adapters: [{name: one, from: {fineTuneJobRef: {name: intents}}}]
            """);
        var deployment = await UntilAsync<V1Deployment>("support", d => d is not null);
        var pod = Pod(deployment!, "support-abc", "server", deployment!.Spec.Template.Metadata.Labels);
        pod.Spec.Containers[0].VolumeMounts = [new() { Name = "adapters", MountPath = "/artifacts/adapters" }];
        pod.Spec.Volumes = [new() { Name = "adapters", EmptyDir = new() }];
        await StandAsync(pod, Make.Running, ready: true);
        deployment = await _admin.GetAsync<V1Deployment>("support", "default");
        deployment!.Status = new()
        {
            ObservedGeneration = deployment.Metadata.Generation, Replicas = 1, UpdatedReplicas = 1, ReadyReplicas = 1,
        };
        await _admin.UpdateStatusAsync(deployment);
        await UntilAsync<AdapterDeployment>("support", d => d?.Status?.Phase == "Serving");
        // A time to live that is over: the run's own object is deleted.
        await ApplyAsync(Run(timeToLive: "1ms"));
        await UntilAsync<FineTuneJob>("intents", j => j is null);
    }

    private static V1Pod Pod(IKubernetesObject<V1ObjectMeta> owner, string name, string container, IDictionary<string, string> labels) => new()
    {
        ApiVersion = "v1",
        Kind = "Pod",
        Metadata = new()
        {
            Name = name, NamespaceProperty = "default", Labels = labels, OwnerReferences = [Owners.Reference(owner)],
        },
        Spec = new() { Containers = [new() { Name = container, Image = "any" }], RestartPolicy = "Never" },
    };

    /// <summary>As a kubelet would say it.</summary>
    private async Task StandAsync(V1Pod pod, V1ContainerState state, bool ready)
    {
        var live = await _admin.GetAsync<V1Pod>(pod.Metadata.Name, "default") ?? await _admin.CreateAsync(pod);
        live.Status = new()
        {
            Phase = state.Terminated is null ? "Running" : "Succeeded",
            PodIP = _program.Address,
            StartTime = DateTime.UtcNow,
            Conditions = [new() { Type = "Ready", Status = ready ? "True" : "False" }],
            ContainerStatuses =
            [
                new() { Name = pod.Spec.Containers[0].Name, State = state, Image = "any", ImageID = "", RestartCount = 0, Ready = ready },
            ],
        };
        await _admin.UpdateStatusAsync(live);
    }

    private async Task GrantOutsideAsync()
    {
        var outside = new V1ClusterRole
        {
            ApiVersion = "rbac.authorization.k8s.io/v1", Kind = "ClusterRole", Metadata = new() { Name = "outside" },
            Rules = OperatorManifests.RulesOutside,
        };
        var binding = OperatorManifests.Rbac().OfType<V1ClusterRoleBinding>().Single();
        (binding.Metadata.Name, binding.RoleRef.Name) = ("outside", "outside");
        await ApplyAsync(outside);
        await ApplyAsync(binding);
    }

    private async Task ApplyAsync(IKubernetesObject obj) =>
        await _admin.Resource(ResourceKind.Of(obj.GetType())).ApplyAsync((System.Text.Json.Nodes.JsonObject)ObjectJson.ToNode(obj)!);

    private async Task ApplyAsync(string yaml)
    {
        var manifest = ManifestFolder.Parse("test.yaml", yaml)[0];
        var kind = manifest.Kind == nameof(FineTuneJob) ? ResourceKind.Of<FineTuneJob>() : ResourceKind.Of<AdapterDeployment>();
        await _admin.Resource(kind).ApplyAsync(manifest.Object);
    }

    private async Task<T?> UntilAsync<T>(string name, Func<T?, bool> condition) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var deadline = DateTime.UtcNow + Patience;
        while (true)
        {
            var obj = await _admin.GetAsync<T>(name, "default");
            if (condition(obj)) return obj;
            var refused = string.Join('\n', _records.Where(r => !r.Allowed).Select(r => r.Request.ToString()).Distinct());
            Assert.True(DateTime.UtcNow < deadline, $"{typeof(T).Name} {name} did not become as wanted; refused:\n{refused}");
            await Task.Delay(100);
        }
    }
}
