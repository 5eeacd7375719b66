using Graft.LocalCluster.Controllers.Scheduling;
using k8s.Models;

namespace Graft.LocalCluster.Tests.Scheduling;

public sealed class NodeHealthTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void A_silent_node_is_unknown_in_every_condition_and_stays_so()
    {
        var node = Node("True");
        var lost = NodeHealth.Lost(node, Now)!;
        Assert.Equal(["DiskPressure", "MemoryPressure", "PIDPressure", "Ready"], lost.Select(c => c.Type).Order(StringComparer.Ordinal));
        Assert.All(lost, c => Assert.Equal("Unknown", c.Status));
        Assert.Equal(("NodeStatusUnknown", "Kubelet stopped posting node status."), (lost[0].Reason, lost[0].Message));
        Assert.Equal("NodeStatusNeverUpdated", lost[1].Reason);
        node.Status.Conditions = [.. lost];
        Assert.Null(NodeHealth.Lost(node, Now));
    }

    [Theory]
    [InlineData("True", false, "")]
    [InlineData("False", false, "node.kubernetes.io/not-ready:NoSchedule node.kubernetes.io/not-ready:NoExecute")]
    [InlineData("Unknown", true,
        "node.kubernetes.io/unreachable:NoSchedule node.kubernetes.io/unreachable:NoExecute node.kubernetes.io/unschedulable:NoSchedule")]
    public void Conditions_and_cordons_become_taints(string ready, bool cordoned, string taints)
    {
        var node = Node(ready);
        node.Spec.Unschedulable = cordoned;
        var made = NodeHealth.TaintsOf(node, Now) ?? [];
        Assert.Equal(taints, string.Join(' ', made.Select(t => $"{t.Key}:{t.Effect}")));
    }

    [Fact]
    public void Taints_of_what_is_over_go_and_others_stay()
    {
        var node = Node("True");
        node.Spec.Taints =
        [
            new V1Taint { Key = "mine", Effect = "NoExecute" }, new V1Taint { Key = Taints.Unreachable, Effect = "NoExecute" },
            new V1Taint { Key = Taints.Unschedulable, Effect = "NoSchedule" },
        ];
        Assert.Equal(["mine"], NodeHealth.TaintsOf(node, Now)!.Select(t => t.Key));
        node.Spec.Taints = [new V1Taint { Key = "mine", Effect = "NoExecute" }];
        Assert.Null(NodeHealth.TaintsOf(node, Now));
    }

    [Theory]
    [InlineData("", "", null)]
    [InlineData("a", "", 0)]
    [InlineData("a", "a:300", 300)]
    [InlineData("a", "a:300 a:30", 30)]
    [InlineData("a", "a:", null)]
    [InlineData("a b", "a:300", 0)]
    [InlineData("a b", "a:300 b:", 300)]
    public void A_pod_stays_as_long_as_its_tolerations_of_every_taint_say(string taints, string tolerations, int? seconds)
    {
        var node = Node("True");
        node.Spec.Taints = [.. taints.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(k => new V1Taint { Key = k, Effect = "NoExecute" })];
        var pod = new V1PodSpec
        {
            Tolerations =
            [
                .. tolerations.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(t => t.Split(':')).Select(t => new V1Toleration
                {
                    Key = t[0], OperatorProperty = "Exists", Effect = "NoExecute",
                    TolerationSeconds = t[1].Length > 0 ? long.Parse(t[1], System.Globalization.CultureInfo.InvariantCulture) : null,
                }),
            ],
        };
        Assert.Equal(seconds, NodeHealth.Stay(pod, node)?.TotalSeconds);
    }

    private static V1Node Node(string ready) => new()
    {
        Metadata = new V1ObjectMeta { Name = "n" }, Spec = new V1NodeSpec(),
        Status = new V1NodeStatus { Conditions = [new V1NodeCondition { Type = "Ready", Status = ready }] },
    };
}
