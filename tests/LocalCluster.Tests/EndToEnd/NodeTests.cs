using Graft.LocalCluster.Controllers.Scheduling;
using k8s.Models;

namespace Graft.LocalCluster.Tests.EndToEnd;

public sealed class NodeTests
{
    [Fact]
    public async Task A_lost_node_is_unknown_its_pods_leave_it_and_it_comes_back()
    {
        await using var cluster = await PodCluster.StartAsync(nodes: [Node("a", "1"), Node("b", "0")], timing: new NodeTiming(
            TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(300), TimeSpan.FromSeconds(1)));
        var gpu = await cluster.RunAsync("sleep 600", p =>
        {
            p.Spec.Containers[0].Resources = new V1ResourceRequirements { Limits = new Dictionary<string, ResourceQuantity> { ["nvidia.com/gpu"] = new("1") } };
            p.Spec.Tolerations =
                [new V1Toleration { Key = Taints.Unreachable, OperatorProperty = "Exists", Effect = "NoExecute", TolerationSeconds = 0 }];
            p.Spec.TerminationGracePeriodSeconds = 1;
        });
        gpu = await cluster.UntilAsync<V1Pod>(gpu.Metadata.Name, p => p?.Status.Phase == "Running");
        Assert.Equal("a", gpu.Spec.NodeName);

        cluster.Cluster.LoseNode("a");
        var node = await cluster.UntilAsync<V1Node>("a", n => n!.Status.Conditions.All(c => c.Status == "Unknown") && n.Spec.Taints?.Count == 2);
        Assert.Contains(node.Status.Conditions, c => c is { Type: "Ready", Reason: "NodeStatusUnknown" });
        // Nobody confirms the end of a pod on a node that is not heard of.
        gpu = await cluster.UntilAsync<V1Pod>(gpu.Metadata.Name, p => p?.Metadata.DeletionTimestamp is not null);
        Assert.Contains(gpu.Status.Conditions, c => c is { Type: "DisruptionTarget", Reason: "DeletionByTaintManager" });
        await cluster.UntilEventAsync(gpu.Metadata.Name, "TaintManagerEviction");

        cluster.Cluster.ReturnNode("a");
        await cluster.UntilAsync<V1Node>("a", n => n!.Status.Conditions.Any(c => c is { Type: "Ready", Status: "True" }) && n.Spec.Taints is not { Count: > 0 });
        await cluster.UntilAsync<V1Pod>(gpu.Metadata.Name, p => p is null);
    }

    private static V1Node Node(string name, string gpus) => new()
    {
        Metadata = new V1ObjectMeta { Name = name },
        Status = new V1NodeStatus { Allocatable = new Dictionary<string, ResourceQuantity> { ["nvidia.com/gpu"] = new(gpus), ["cpu"] = new("8") } },
    };
}
