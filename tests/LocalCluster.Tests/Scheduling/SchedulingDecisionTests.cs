using Graft.LocalCluster.Controllers.Scheduling;
using k8s.Models;

namespace Graft.LocalCluster.Tests.Scheduling;

public sealed class SchedulingDecisionTests
{
    private const string Hopeless = "Preemption is not helpful for scheduling";
    private const string NoVictims = "No preemption victims found for incoming pod";

    [Fact]
    public void Without_nodes_there_is_nothing_to_choose_from() =>
        Assert.Equal("no nodes available to schedule pods", SchedulingDecision.Decide(Pod("p"), Snapshot()).Message);

    [Fact]
    public void Every_node_that_refuses_is_counted_by_its_reason()
    {
        var gpu = Node("a", ("nvidia.com/gpu", "1"));
        var tainted = Change(Node("b"), n => n.Spec.Taints = [new V1Taint { Key = "team", Value = "x", Effect = "NoSchedule" }]);
        var pod = Pod("p", ("nvidia.com/gpu", "2"));
        Assert.Equal(
            "0/3 nodes are available: 1 node(s) had untolerated taint {team: x}, 2 Insufficient nvidia.com/gpu. " +
            $"preemption: 0/3 nodes are available: 3 {Hopeless}.",
            Decide(pod, gpu, tainted, Node("c")).Message);
    }

    [Fact]
    public void What_others_hold_is_not_there_and_could_be_there_again()
    {
        var node = Node("a", ("nvidia.com/mig-1g.5gb", "2"));
        var taken = On(node, Pod("q", ("nvidia.com/mig-1g.5gb", "1")));
        Assert.Equal("a", Decide(Pod("p", ("nvidia.com/mig-1g.5gb", "1")), taken).Node);
        Assert.Equal(
            $"0/1 nodes are available: 1 Insufficient nvidia.com/mig-1g.5gb. preemption: 0/1 nodes are available: 1 {NoVictims}.",
            Decide(Pod("p", ("nvidia.com/mig-1g.5gb", "2")), taken).Message);
    }

    [Fact]
    public void A_pod_that_may_not_preempt_says_so()
    {
        var pod = Pod("p", ("cpu", "9"));
        pod.Spec.PreemptionPolicy = "Never";
        Assert.Equal(
            "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.", Decide(pod, Node("a")).Message);
    }

    [Fact]
    public void All_that_is_short_on_a_node_is_named()
    {
        var full = On(Node("a", ("pods", "0")), []);
        Assert.Equal(
            ["Too many pods", "Insufficient cpu", "Insufficient memory", "Insufficient nvidia.com/gpu"],
            NodeFilters.Refuse(Pod("p", ("nvidia.com/gpu", "1"), ("memory", "64Gi"), ("cpu", "5")), full, Snapshot(full))!.Reasons);
    }

    [Theory]
    [InlineData("node(s) were unschedulable", "cordon")]
    [InlineData("node(s) didn't match Pod's node affinity/selector", "selector")]
    [InlineData("node(s) didn't match Pod's node affinity/selector", "affinity")]
    [InlineData("node(s) didn't have free ports for the requested pod ports", "port")]
    [InlineData("node(s) didn't match pod anti-affinity rules", "anti")]
    [InlineData("node(s) didn't satisfy existing pods anti-affinity rules", "existing")]
    [InlineData("node(s) didn't match pod affinity rules", "join")]
    [InlineData("node(s) didn't match pod topology spread constraints", "spread")]
    [InlineData("node(s) didn't match pod topology spread constraints (missing required label)", "unlabelled")]
    public void Each_filter_refuses_in_its_own_words(string reason, string what)
    {
        var (node, pod, other) = (Node("a"), Pod("p"), Pod("q"));
        var term = new V1PodAffinityTerm { TopologyKey = "zone", LabelSelector = new V1LabelSelector { MatchLabels = Labels("app", "q") } };
        switch (what)
        {
            case "cordon": node.Spec.Unschedulable = true; break;
            case "selector": pod.Spec.NodeSelector = Labels("disk", "fast"); break;
            case "affinity": pod.Spec.Affinity = new V1Affinity { NodeAffinity = Required("zone", "NotIn", "one") }; break;
            case "port": pod.Spec.Containers[0].Ports = other.Spec.Containers[0].Ports = [new V1ContainerPort { ContainerPort = 80, HostPort = 80 }]; break;
            case "anti": pod.Spec.Affinity = Anti(term); break;
            case "existing":
                other.Spec.Affinity = Anti(new V1PodAffinityTerm { TopologyKey = "zone", LabelSelector = new V1LabelSelector { MatchLabels = Labels("app", "p") } });
                break;
            case "join":
                term.LabelSelector.MatchLabels = Labels("app", "none");
                pod.Spec.Affinity = new V1Affinity { PodAffinity = new V1PodAffinity { RequiredDuringSchedulingIgnoredDuringExecution = [term] } };
                break;
            default:
                pod.Spec.TopologySpreadConstraints =
                [
                    new V1TopologySpreadConstraint
                    {
                        MaxSkew = 1, TopologyKey = what == "spread" ? "zone" : "rack", WhenUnsatisfiable = "DoNotSchedule", MinDomains = 2,
                        LabelSelector = new V1LabelSelector { MatchLabels = Labels("app", "q") },
                    },
                ];
                pod.Metadata.Labels = Labels("app", "q");
                break;
        }
        var state = On(node, other);
        Assert.Equal([reason], NodeFilters.Refuse(pod, state, Snapshot(state))!.Reasons);
    }

    [Theory]
    [InlineData("k", "Equal", "v", "NoSchedule", true)]
    [InlineData("k", "", "v", "", true)]
    [InlineData("k", "Equal", "w", "NoSchedule", false)]
    [InlineData("k", "Exists", null, "NoSchedule", true)]
    [InlineData("", "Exists", null, "", true)]
    [InlineData("k", "Exists", null, "NoExecute", false)]
    [InlineData("l", "Exists", null, "", false)]
    public void A_toleration_matches_key_value_and_effect(string key, string @operator, string? value, string effect, bool tolerates) => Assert.Equal(
        tolerates,
        Taints.Tolerates(new V1Toleration { Key = key, OperatorProperty = @operator, Value = value, Effect = effect }, new V1Taint { Key = "k", Value = "v", Effect = "NoSchedule" }));

    [Theory]
    [InlineData("In", "one,two", true)]
    [InlineData("In", "two", false)]
    [InlineData("NotIn", "two", true)]
    [InlineData("Exists", "", true)]
    [InlineData("DoesNotExist", "", false)]
    [InlineData("Gt", "3", false)]
    public void Node_affinity_compares_labels(string @operator, string values, bool matches)
    {
        var pod = Pod("p");
        pod.Spec.Affinity = new V1Affinity { NodeAffinity = Required("zone", @operator, values.Split(',', StringSplitOptions.RemoveEmptyEntries)) };
        Assert.Equal(matches, NodeSelection.Matches(pod.Spec, Node("a")));
    }

    [Fact]
    public void Init_containers_count_at_their_peak_and_sidecars_all_along()
    {
        var pod = Pod("p", ("cpu", "1"));
        V1Container Init(string cpu, bool sidecar) => new()
        {
            Name = "i" + cpu, RestartPolicy = sidecar ? "Always" : null,
            Resources = new V1ResourceRequirements { Requests = Amounts([("cpu", cpu)]) },
        };
        pod.Spec.InitContainers = [Init("3", false)];
        Assert.Equal(3, PodRequests.Of(pod.Spec)["cpu"]);
        // The sidecar (2) runs beside the container (1), and beside the init container after it (3) but not the one before it (4).
        pod.Spec.InitContainers = [Init("4", false), Init("2", true), Init("3", false)];
        Assert.Equal(5, PodRequests.Of(pod.Spec)["cpu"]);
        pod.Spec.Overhead = Amounts([("cpu", "250m")]);
        Assert.Equal(5.25m, PodRequests.Of(pod.Spec)["cpu"]);
    }

    [Fact]
    public void The_emptier_node_is_preferred_and_of_equal_ones_the_first()
    {
        var (a, b) = (Node("a"), Node("b"));
        Assert.Equal("a", Decide(Pod("p"), b, a).Node);
        Assert.Equal("b", Decide(Pod("p"), On(a, Pod("q", ("cpu", "2"))), On(b)).Node);
    }

    [Fact]
    public void A_preference_for_a_label_and_against_a_taint_decides()
    {
        var (a, b) = (Node("a"), Node("b"));
        var pod = Pod("p");
        pod.Spec.Affinity = new V1Affinity
        {
            NodeAffinity = new V1NodeAffinity
            {
                PreferredDuringSchedulingIgnoredDuringExecution =
                    [new V1PreferredSchedulingTerm { Weight = 1, Preference = new V1NodeSelectorTerm { MatchFields = [Field("metadata.name", "b")] } }],
            },
        };
        Assert.Equal("b", Decide(pod, a, b).Node);
        b.Spec.Taints = [new V1Taint { Key = "k", Effect = "PreferNoSchedule" }];
        Assert.Equal("a", Decide(pod, a, b).Node);
    }

    internal static V1Node Node(string name, params (string, string)[] resources)
    {
        var allocatable = Amounts([("cpu", "4"), ("memory", "8Gi"), ("pods", "10")]);
        foreach (var (resource, amount) in Amounts(resources)) allocatable[resource] = amount;
        return new V1Node
        {
            Metadata = new V1ObjectMeta { Name = name, Labels = Labels("zone", "one") }, Spec = new V1NodeSpec(),
            Status = new V1NodeStatus { Allocatable = allocatable },
        };
    }

    internal static V1Pod Pod(string name, params (string, string)[] requests) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "default", Uid = name, Labels = Labels("app", name) },
        Spec = new V1PodSpec { Containers = [new V1Container { Name = "main", Resources = new V1ResourceRequirements { Requests = Amounts(requests) } }] },
    };

    private static V1Node Change(V1Node node, Action<V1Node> change)
    {
        change(node);
        return node;
    }

    private static Dictionary<string, string> Labels(string key, string value) => new() { [key] = value };

    private static Dictionary<string, ResourceQuantity> Amounts(IEnumerable<(string Name, string Amount)> all) =>
        all.ToDictionary(a => a.Name, a => new ResourceQuantity(a.Amount));

    private static V1NodeSelectorRequirement Field(string key, string value) => new() { Key = key, OperatorProperty = "In", Values = [value] };

    private static V1NodeAffinity Required(string key, string @operator, params string[] values) => new()
    {
        RequiredDuringSchedulingIgnoredDuringExecution = new V1NodeSelector
        {
            NodeSelectorTerms =
                [new V1NodeSelectorTerm { MatchExpressions = [new V1NodeSelectorRequirement { Key = key, OperatorProperty = @operator, Values = values }] }],
        },
    };

    private static V1Affinity Anti(V1PodAffinityTerm term) =>
        new() { PodAntiAffinity = new V1PodAntiAffinity { RequiredDuringSchedulingIgnoredDuringExecution = [term] } };

    private static NodeState On(V1Node node, params V1Pod[] pods) => new(node, pods);

    private static ClusterSnapshot Snapshot(params NodeState[] nodes) =>
        new([.. nodes.OrderBy(n => n.Name, StringComparer.Ordinal)], new Dictionary<string, IDictionary<string, string>?>());

    private static SchedulingDecision Decide(V1Pod pod, params V1Node[] nodes) => Decide(pod, [.. nodes.Select(n => On(n))]);

    private static SchedulingDecision Decide(V1Pod pod, params NodeState[] nodes) => SchedulingDecision.Decide(pod, Snapshot(nodes));
}
