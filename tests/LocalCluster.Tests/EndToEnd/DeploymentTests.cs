using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Tests.EndToEnd;

public sealed class DeploymentTests(PodClusterFixture fixture) : IClassFixture<PodClusterFixture>
{
    private const string Forever = "trap 'exit 0' TERM; while :; do sleep 0.05; done";
    private readonly PodCluster _cluster = fixture.Cluster;

    [Fact]
    public async Task A_deployment_becomes_available_rolls_to_a_new_template_and_goes_with_all_it_owns()
    {
        var name = _cluster.Name("web");
        await _cluster.Client.CreateAsync(Make(name, "one"));
        var first = await _cluster.UntilAsync<V1Deployment>(name, IsRolledOut);
        Assert.Equal("MinimumReplicasAvailable", first.Status.Conditions.Single(c => c.Type == "Available").Reason);
        Assert.Equal("1", first.Metadata.Annotations["deployment.kubernetes.io/revision"]);

        var patch = new JsonObject { ["spec"] = new JsonObject { ["template"] = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["version"] = "two" } } } } };
        await _cluster.Client.Resource<V1Deployment>().PatchAsync(name, "default", Patch.Merge(patch));
        var second = await _cluster.UntilAsync<V1Deployment>(name, d => d!.Metadata.Generation > first.Metadata.Generation && IsRolledOut(d));
        Assert.Equal("2", second.Metadata.Annotations["deployment.kubernetes.io/revision"]);
        Assert.Equal("NewReplicaSetAvailable", second.Status.Conditions.Single(c => c.Type == "Progressing").Reason);
        var sets = await _cluster.Client.ListAsync<V1ReplicaSet>("default", $"app={name}");
        Assert.Equal([0, 2], sets.Select(s => s.Spec.Replicas!.Value).Order());
        await _cluster.UntilEventAsync(name, "ScalingReplicaSet", "Scaled down");

        await _cluster.Client.DeleteAsync(second);
        foreach (var set in sets) await _cluster.UntilAsync<V1ReplicaSet>(set.Metadata.Name, s => s is null);
        await UntilNoPodsAsync(name);
    }

    [Fact]
    public async Task A_service_answers_on_its_address_with_the_pods_behind_it()
    {
        var name = _cluster.Name("svc");
        await _cluster.Client.CreateAsync(Make(name, "one"));
        await _cluster.Client.CreateAsync(new V1Service
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "default" },
            Spec = new V1ServiceSpec { Selector = new Dictionary<string, string> { ["app"] = name }, Ports = [new V1ServicePort { Port = 8000, TargetPort = 8123 }] },
        });
        await _cluster.UntilAsync<V1Deployment>(name, IsRolledOut);
        var slice = await _cluster.UntilAsync<V1EndpointSlice>(name + "-local", s => s?.Endpoints.Count == 2 && s.Endpoints.All(e => e.Conditions.Ready == true));
        // The shell cannot listen: this test does it at the pods' addresses.
        using var one = Answer(slice.Endpoints[0].Addresses[0], 8123, "one");
        using var two = Answer(slice.Endpoints[1].Addresses[0], 8123, "two");
        var service = await _cluster.Client.GetAsync<V1Service>(name, "default");
        // What passes connections on hears of the pods by a watch of its own.
        await PodCluster.UntilAsync(() => !Refuses(service!.Spec.ClusterIP), "the Service must answer");
        var answers = new HashSet<string>();
        for (var i = 0; i < 4; i++) answers.Add(await AskAsync(service!.Spec.ClusterIP, 8000));
        Assert.Equal(["one", "two"], answers.Order());

        await _cluster.Client.Resource<V1Deployment>().PatchAsync(name, "default", Patch.Merge(new JsonObject { ["spec"] = new JsonObject { ["replicas"] = 0 } }));
        await _cluster.UntilAsync<V1EndpointSlice>(name + "-local", s => s!.Endpoints is null or { Count: 0 });
        await PodCluster.UntilAsync(() => Refuses(service!.Spec.ClusterIP), "a Service without pods must refuse");
    }

    private static bool Refuses(string ip)
    {
        try
        {
            return AskAsync(ip, 8000).GetAwaiter().GetResult().Length == 0;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return true;
        }
    }

    private static TcpListener Answer(string ip, int port, string text)
    {
        var listener = new TcpListener(IPAddress.Parse(ip), port);
        listener.Start();
        _ = Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    using var client = await listener.AcceptTcpClientAsync();
                    await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes(text));
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        });
        return listener;
    }

    private static async Task<string> AskAsync(string ip, int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(ip, port);
        using var reader = new StreamReader(client.GetStream());
        return await reader.ReadToEndAsync();
    }

    private async Task UntilNoPodsAsync(string app)
    {
        for (var i = 0; i < 600; i++)
        {
            if ((await _cluster.Client.ListAsync<V1Pod>("default", $"app={app}")).Count == 0) return;
            await Task.Delay(50);
        }
        Assert.Fail("pods are left");
    }

    private static bool IsRolledOut(V1Deployment? d) =>
        d?.Status is { UpdatedReplicas: 2, AvailableReplicas: 2, Replicas: 2 } && d.Status.ObservedGeneration == d.Metadata.Generation
        && d.Status.Conditions.Any(c => c.Type == "Progressing" && c.Reason == "NewReplicaSetAvailable");

    private static V1Deployment Make(string name, string version) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "default" },
        Spec = new V1DeploymentSpec
        {
            Replicas = 2,
            Selector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["app"] = name } },
            Template = new V1PodTemplateSpec
            {
                Metadata = new V1ObjectMeta { Labels = new Dictionary<string, string> { ["app"] = name, ["version"] = version } },
                Spec = new V1PodSpec { Containers = [PodCluster.Container(Forever)] },
            },
        },
    };
}
