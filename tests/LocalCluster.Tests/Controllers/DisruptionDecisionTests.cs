using Graft.LocalCluster.Controllers.Disruption;
using k8s.Models;

namespace Graft.LocalCluster.Tests.Controllers;

public sealed class DisruptionDecisionTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Theory]
    [InlineData("1", null, 3, 3, 1, 2)]
    [InlineData("50%", null, 3, 3, 2, 1)]
    [InlineData(null, "1", 3, 3, 2, 1)]
    [InlineData(null, "50%", 3, 3, 1, 2)]
    [InlineData(null, "1", 3, 2, 2, 0)]
    [InlineData("5", null, 3, 3, 5, 0)]
    [InlineData("0", null, 0, 0, 0, 0)]
    public void So_many_pods_may_go(string? least, string? most, int pods, int ready, int desired, int allowed)
    {
        var status = DisruptionDecision.Decide(Budget(least, most), [.. Enumerable.Range(0, pods).Select(i => Pod($"p{i}", i < ready))], pods, Now).Status;
        Assert.Equal((ready, desired, allowed), (status.CurrentHealthy, status.DesiredHealthy, status.DisruptionsAllowed));
        Assert.Equal((allowed > 0 ? "True" : "False", allowed > 0 ? "SufficientPods" : "InsufficientPods"),
            (status.Conditions[0].Status, status.Conditions[0].Reason));
    }

    [Fact]
    public void Where_a_controller_does_not_say_its_scale_nothing_may_go()
    {
        var status = DisruptionDecision.Decide(Budget(null, "1"), [Pod("a", true), Pod("b", true)], null, Now).Status;
        Assert.Equal((0, "SyncFailed"), (status.DisruptionsAllowed, status.Conditions[0].Reason));
    }

    [Theory, InlineData(119, 0), InlineData(121, 1)]
    public void An_evicted_pod_is_missed_for_two_minutes_at_most(int ago, int allowed)
    {
        var budget = Budget("1", null);
        budget.Status = new V1PodDisruptionBudgetStatus { DisruptedPods = new Dictionary<string, DateTime?> { ["a"] = Now.AddSeconds(-ago).UtcDateTime } };
        var plan = DisruptionDecision.Decide(budget, [Pod("a", true), Pod("b", true)], 2, Now);
        Assert.Equal((allowed, allowed == 0), (plan.Status.DisruptionsAllowed, plan.Again is not null));
    }

    private static V1PodDisruptionBudget Budget(string? least, string? most) => new()
    {
        Metadata = new V1ObjectMeta { Name = "b", Generation = 1 },
        Spec = new V1PodDisruptionBudgetSpec { MinAvailable = Share(least), MaxUnavailable = Share(most) },
    };

    private static IntOrString? Share(string? text) => text is null ? null : (IntOrString)text;

    private static V1Pod Pod(string name, bool ready) => new()
    {
        Metadata = new V1ObjectMeta { Name = name },
        Status = new V1PodStatus { Phase = "Running", Conditions = [new V1PodCondition { Type = "Ready", Status = ready ? "True" : "False" }] },
    };
}
