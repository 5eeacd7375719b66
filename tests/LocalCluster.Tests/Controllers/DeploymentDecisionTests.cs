using Graft.LocalCluster.Controllers.Workloads;
using k8s.Models;

namespace Graft.LocalCluster.Tests.Controllers;

public sealed class DeploymentDecisionTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Theory]
    [InlineData("25%", "25%", 4, 1, 1)]
    [InlineData("25%", "25%", 1, 1, 0)]
    [InlineData("0", "0", 3, 0, 1)]
    [InlineData("2", "50%", 3, 2, 1)]
    [InlineData("0%", "200%", 3, 0, 3)]
    public void Surge_rounds_up_and_unavailable_rounds_down(string surge, string unavailable, int replicas, int up, int down)
    {
        var bounds = RolloutBounds.Of(Deployment(replicas, surge, unavailable));
        Assert.Equal((up, down), (bounds.Surge, bounds.Unavailable));
    }

    // wanted, surge, unavailable | current: replicas, available | old: replicas, available | what changes
    [Theory]
    [InlineData(2, "1", "0", 0, 0, 2, 2, "current=1")]
    [InlineData(2, "1", "0", 1, 0, 2, 2, "")]
    [InlineData(2, "1", "0", 1, 1, 2, 2, "old=1")]
    [InlineData(2, "1", "0", 1, 1, 1, 1, "current=2")]
    [InlineData(2, "1", "0", 2, 2, 1, 1, "old=0")]
    [InlineData(2, "0", "1", 0, 0, 2, 2, "old=1")]
    [InlineData(2, "1", "0", 1, 0, 2, 1, "")]
    [InlineData(3, "1", "1", 1, 0, 3, 1, "old=2")]
    [InlineData(2, "1", "0", 3, 3, 0, 0, "current=2")]
    public void A_rolling_update_keeps_enough_available_and_not_too_many(
        int wanted, string surge, string unavailable, int current, int available, int old, int oldAvailable, string change)
    {
        var plan = Rollout.Scale(Deployment(wanted, surge, unavailable), Set("current", current, available), [Set("old", old, oldAvailable)]);
        Assert.Equal(change, string.Join(' ', plan.Select(p => $"{p.Set.Metadata.Name}={p.Replicas}")));
    }

    [Fact]
    public void Recreate_waits_for_the_old_pods_to_be_gone()
    {
        var deployment = Deployment(2, "0", "0");
        deployment.Spec.Strategy = new V1DeploymentStrategy { Type = "Recreate" };
        Assert.Equal(0, Rollout.Scale(deployment, Set("current", 0, 0), [Set("old", 2, 2)]).Single().Replicas);
        Assert.Empty(Rollout.Scale(deployment, Set("current", 0, 0), [Set("old", 0, 0, running: 1)]));
        Assert.Equal(2, Rollout.Scale(deployment, Set("current", 0, 0), [Set("old", 0, 0)]).Single().Replicas);
    }

    [Fact]
    public void A_new_deployment_creates_a_set_named_by_its_template()
    {
        var deployment = Deployment(2, "25%", "25%");
        var plan = DeploymentDecision.Decide(deployment, [], false, Now);
        var hash = TemplateHash.Of(deployment.Spec.Template);
        Assert.Equal($"web-{hash}", plan.Create!.Metadata.Name);
        Assert.Equal(2, plan.Create.Spec.Replicas);
        Assert.Equal(hash, plan.Create.Spec.Selector.MatchLabels[TemplateHash.Label]);
        Assert.Equal(hash, plan.Create.Spec.Template.Metadata.Labels[TemplateHash.Label]);
        Assert.Equal("1", plan.Revision);
        Assert.Equal("NewReplicaSetCreated", Condition(plan, "Progressing").Reason);
        Assert.Equal(("False", "MinimumReplicasUnavailable"), (Condition(plan, "Available").Status, Condition(plan, "Available").Reason));
        Assert.Equal("Scaled up replica set web-" + hash + " from 0 to 2", Assert.Single(plan.Events).Message);
    }

    [Fact]
    public void Going_back_to_an_earlier_template_takes_its_set_with_a_new_revision()
    {
        var deployment = Deployment(1, "25%", "25%");
        var earlier = DeploymentDecision.Decide(deployment, [], false, Now).Create!;
        var other = Set("other", 1, 1);
        other.Metadata.Annotations = new Dictionary<string, string> { [DeploymentDecision.RevisionAnnotation] = "2" };
        var plan = DeploymentDecision.Decide(deployment, [earlier, other], false, Now);
        Assert.Null(plan.Create);
        Assert.Same(earlier, plan.Current);
        Assert.Equal("3", plan.Revision);
    }

    [Fact]
    public void A_rollout_without_progress_runs_into_its_deadline()
    {
        var deployment = Deployment(1, "25%", "25%");
        var set = DeploymentDecision.Decide(deployment, [], false, Now).Create!;
        set.Status = new V1ReplicaSetStatus { Replicas = 1 };
        deployment.Status = DeploymentDecision.Decide(deployment, [set], false, Now).Status;
        deployment.Status = DeploymentDecision.Decide(deployment, [set], false, Now).Status;
        var waiting = DeploymentDecision.Decide(deployment, [set], false, Now.AddSeconds(599));
        Assert.Equal(("True", TimeSpan.FromSeconds(1)), (Condition(waiting, "Progressing").Status, waiting.Again));
        var late = DeploymentDecision.Decide(deployment, [set], false, Now.AddSeconds(600));
        Assert.Equal(("False", "ProgressDeadlineExceeded"), (Condition(late, "Progressing").Status, Condition(late, "Progressing").Reason));
    }

    [Fact]
    public void Old_empty_sets_beyond_the_history_limit_are_deleted_oldest_first()
    {
        var deployment = Deployment(1, "25%", "25%");
        deployment.Spec.RevisionHistoryLimit = 1;
        var old = Enumerable.Range(1, 3).Select(i => Set($"old-{i}", 0, 0)).ToList();
        for (var i = 0; i < 3; i++) old[i].Metadata.Annotations = new Dictionary<string, string> { [DeploymentDecision.RevisionAnnotation] = $"{i + 1}" };
        Assert.Equal(["old-1", "old-2"], DeploymentDecision.Decide(deployment, old, false, Now).Delete.Select(s => s.Metadata.Name));
    }

    [Fact]
    public void The_order_of_members_and_empty_ones_do_not_change_the_hash()
    {
        var (a, b) = (Deployment(1, "1", "1").Spec.Template, Deployment(1, "1", "1").Spec.Template);
        b.Spec.NodeSelector = new Dictionary<string, string>();
        Assert.Equal(TemplateHash.Of(a), TemplateHash.Of(b));
        b.Spec.Containers[0].Image = "other";
        Assert.NotEqual(TemplateHash.Of(a), TemplateHash.Of(b));
    }

    private static V1DeploymentCondition Condition(DeploymentPlan plan, string type) => plan.Status.Conditions.Single(c => c.Type == type);

    private static V1Deployment Deployment(int replicas, string surge, string unavailable) => new()
    {
        Metadata = new V1ObjectMeta { Name = "web", NamespaceProperty = "ns", Uid = "uid", Generation = 1 },
        Spec = new V1DeploymentSpec
        {
            Replicas = replicas,
            Selector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["app"] = "web" } },
            Strategy = new V1DeploymentStrategy { Type = "RollingUpdate", RollingUpdate = new V1RollingUpdateDeployment { MaxSurge = surge, MaxUnavailable = unavailable } },
            Template = new V1PodTemplateSpec
            {
                Metadata = new V1ObjectMeta { Labels = new Dictionary<string, string> { ["app"] = "web" } },
                Spec = new V1PodSpec { Containers = [new V1Container { Name = "main", Image = "image" }] },
            },
        },
    };

    private static V1ReplicaSet Set(string name, int replicas, int available, int? running = null) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "ns", Uid = name, CreationTimestamp = Now.UtcDateTime },
        Spec = new V1ReplicaSetSpec { Replicas = replicas },
        Status = new V1ReplicaSetStatus { Replicas = running ?? replicas, AvailableReplicas = available },
    };
}
