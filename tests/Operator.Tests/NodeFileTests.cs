using Graft.Operator.Local;

namespace Graft.Operator.Tests;

public sealed class NodeFileTests
{
    [Fact]
    public void Nodes_are_read_with_their_devices_labels_and_taints()
    {
        var nodes = NodeFile.Parse("nodes.yaml", """
            apiVersion: v1
            kind: Node
            metadata:
              name: a100
              labels: {nvidia.com/gpu.product: A100}
            spec:
              taints: [{key: nvidia.com/gpu, effect: NoSchedule}]
            status:
              allocatable: {nvidia.com/gpu: 8, nvidia.com/mig-1g.5gb: "7", cpu: 500m}
            ---
            apiVersion: v1
            kind: Node
            metadata: {name: small}
            """);
        Assert.Equal(["a100", "small"], nodes.Select(n => n.Metadata.Name));
        Assert.Equal(["8", "7", "500m"], nodes[0].Status.Allocatable.Values.Select(v => v.ToString()));
        Assert.Equal("nvidia.com/gpu", Assert.Single(nodes[0].Spec.Taints).Key);
    }

    [Theory]
    [InlineData("", "there is no Node in it")]
    [InlineData("{apiVersion: v1, kind: Pod, metadata: {name: p}}", "Pod p: only Nodes are declared here")]
    [InlineData("{apiVersion: v1, kind: Node, metadata: {name: n}}\n---\n{apiVersion: v1, kind: Node, metadata: {name: n}}", "declared twice")]
    [InlineData("{apiVersion: v1, kind: Node, metadata: {name: n}, status: {allocatable: {cpu: many}}}", "Node n")]
    public void What_is_no_node_is_refused_by_name(string text, string words) =>
        Assert.Contains(words, Assert.Throws<LocalFailure>(() => NodeFile.Parse("nodes.yaml", text)).Message, StringComparison.Ordinal);
}
