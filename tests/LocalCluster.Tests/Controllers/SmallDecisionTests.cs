using System.Net;
using Graft.LocalCluster.Controllers.Garbage;
using Graft.LocalCluster.Controllers.Services;
using Graft.LocalCluster.Controllers.Workloads;
using Graft.LocalCluster.Network;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Tests.Controllers;

public sealed class SmallDecisionTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Theory]
    [InlineData("", "")]
    [InlineData("a:Solid", "")]
    [InlineData("a:Absent", "Delete")]
    [InlineData("a:Absent b:Absent", "Delete")]
    [InlineData("a:Absent b:Solid", "Drop a")]
    [InlineData("a:WaitsForDependents b:Solid", "Drop a")]
    [InlineData("a:WaitsForDependents", "Delete")]
    public void An_object_lives_as_long_as_one_of_its_owners(string owners, string expected)
    {
        var states = owners.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(o => o.Split(':')).ToDictionary(o => o[0], o => Enum.Parse<OwnerState>(o[1]));
        var node = Node("x", owners: [.. states.Keys]);
        Assert.Equal(expected, string.Join(' ', GarbageDecision.Decide(node, [], states).Select(Say)));
    }

    [Fact]
    public void In_the_foreground_an_owner_waits_for_dependents_that_block_it_only()
    {
        var owner = Node("o", deleting: true, finalizer: ObjectNode.ForegroundFinalizer);
        Assert.Empty(GarbageDecision.Decide(owner, [Node("d", owners: ["o"], blocks: true)], new Dictionary<string, OwnerState>()));
        Assert.Equal("Unfinalize foregroundDeletion", Say(GarbageDecision.Decide(owner, [Node("d", owners: ["o"])], new Dictionary<string, OwnerState>()).Single()));
    }

    [Fact]
    public void Orphans_lose_their_reference_before_their_owner_goes()
    {
        var owner = Node("o", deleting: true, finalizer: ObjectNode.OrphanFinalizer);
        var steps = GarbageDecision.Decide(owner, [Node("d", owners: ["o"])], new Dictionary<string, OwnerState>()).ToList();
        Assert.IsType<GarbageStep.OrphanDependents>(steps[0]);
        Assert.Equal("Unfinalize orphan", Say(Assert.Single(steps[1..])));
        Assert.Equal("Unfinalize orphan", Say(GarbageDecision.Decide(owner, [], new Dictionary<string, OwnerState>()).Single()));
    }

    [Fact]
    public void The_graph_leads_from_what_is_gone_to_what_it_owned_and_what_owned_it()
    {
        var graph = new OwnerGraph();
        graph.Tell(Node("a"));
        graph.Tell(Node("b", owners: ["a"]));
        graph.Tell(Node("c", owners: ["b"]));
        Assert.Equal(["c", "a"], graph.TellGone("b"));
        Assert.Empty(graph.DependentsOf("a"));
        Assert.Equal(["b"], graph.TellGone("c"));
    }

    [Fact]
    public void A_slice_lists_pods_with_an_address_and_says_which_are_ready()
    {
        var service = new V1Service
        {
            Metadata = new V1ObjectMeta { Name = "s", NamespaceProperty = "ns", Uid = "u" },
            Spec = new V1ServiceSpec { ClusterIP = "127.9.128.1", Selector = new Dictionary<string, string> { ["a"] = "b" }, Ports = [new V1ServicePort { Port = 80, TargetPort = "http" }] },
        };
        V1Pod[] pods = [Backend("p1", "127.9.0.1", ready: true), Backend("p2", "127.9.0.2", ready: false), Backend("p3", null, ready: false)];
        var slice = EndpointDecision.Slice(service, pods)!;
        Assert.Equal(["127.9.0.1:True", "127.9.0.2:False"], slice.Endpoints.Select(e => $"{e.Addresses[0]}:{e.Conditions.Ready}"));
        Assert.Equal(8080, Assert.Single(slice.Ports).Port);

        var port = Assert.Single(ServicePlan.Ports(service, [slice]));
        Assert.Equal(IPEndPoint.Parse("127.9.128.1:80"), port.Address);
        Assert.Equal([IPEndPoint.Parse("127.9.0.1:8080")], port.Backends);
        service.Spec.ClusterIP = "10.0.0.1";
        Assert.Empty(ServicePlan.Ports(service, [slice]));
    }

    [Fact]
    public void A_replica_set_deletes_first_what_serves_nobody()
    {
        var set = new V1ReplicaSet { Metadata = new V1ObjectMeta { Uid = "u" }, Spec = new V1ReplicaSetSpec { Replicas = 1 } };
        V1Pod[] pods = [Backend("ready", "127.9.0.1", ready: true), Backend("starting", "127.9.0.2", ready: false), Backend("new", null, ready: false)];
        pods[2].Spec.NodeName = null;
        var plan = ReplicaSetDecision.Decide(set, pods, Now);
        Assert.Equal(["new", "starting"], plan.Delete.Select(p => p.Metadata.Name));
        Assert.Equal((3, 1, 1), (plan.Status.Replicas, plan.Status.ReadyReplicas, plan.Status.AvailableReplicas));
    }

    private static string Say(GarbageStep step) => step switch
    {
        GarbageStep.Delete => "Delete",
        GarbageStep.DropOwners drop => $"Drop {string.Join(',', drop.Uids)}",
        GarbageStep.RemoveFinalizer finalizer => $"Unfinalize {finalizer.Name}",
        _ => step.GetType().Name,
    };

    private static ObjectNode Node(string uid, string[]? owners = null, bool blocks = false, bool deleting = false, string? finalizer = null) => new(
        ResourceKind.Of<V1Pod>(), "ns", uid, uid, "1", [.. (owners ?? []).Select(o => new OwnerLink("v1", "Pod", o, o, blocks))],
        finalizer is null ? [] : [finalizer], deleting);

    private static V1Pod Backend(string name, string? ip, bool ready) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "ns", Uid = name, Labels = new Dictionary<string, string> { ["a"] = "b" }, CreationTimestamp = Now.UtcDateTime },
        Spec = new V1PodSpec { NodeName = "local", Containers = [new V1Container { Name = "c", Ports = [new V1ContainerPort { Name = "http", ContainerPort = 8080 }] }] },
        Status = new V1PodStatus { Phase = "Running", PodIP = ip, Conditions = [new V1PodCondition { Type = "Ready", Status = ready ? "True" : "False", LastTransitionTime = Now.UtcDateTime }] },
    };
}
