using Graft.LocalCluster.Kubelet.Status;
using k8s.Models;

namespace Graft.LocalCluster.Tests.Kubelet;

public sealed class LostPodsTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Theory]
    [InlineData("Never", "running", true)]
    [InlineData("Never", "waiting", false)]
    [InlineData("OnFailure", "running", false)]
    [InlineData("Always", "running", false)]
    public void Only_a_pod_that_ran_and_is_never_restarted_is_lost(string policy, string state, bool lost) =>
        Assert.Equal(lost, LostPods.Decide(Make(policy, State(state)), Now) is not null);

    [Fact]
    public void A_lost_pod_has_failed_and_says_that_nobody_knows_how()
    {
        var status = LostPods.Decide(Make("Never", State("running"), State("done")), Now)!;

        Assert.Equal("Failed", status.Phase);
        var (unknown, done) = (status.ContainerStatuses[0].State.Terminated, status.ContainerStatuses[1].State.Terminated);
        Assert.Equal((137, "ContainerStatusUnknown"), (unknown.ExitCode, unknown.Reason));
        Assert.Equal((0, "Completed"), (done.ExitCode, done.Reason));
        Assert.Equal("False", status.Conditions.Single(c => c.Type == "Ready").Status);
    }

    private static V1ContainerState State(string state) => state switch
    {
        "running" => new() { Running = new() { StartedAt = Now.AddMinutes(-1).UtcDateTime } },
        "waiting" => new() { Waiting = new() { Reason = "ContainerCreating" } },
        _ => new() { Terminated = new() { ExitCode = 0, Reason = "Completed" } },
    };

    private static V1Pod Make(string policy, params V1ContainerState[] states) => new()
    {
        Metadata = new() { Name = "p", NamespaceProperty = "n", Uid = "u" },
        Spec = new() { RestartPolicy = policy, Containers = [.. states.Select((_, i) => new V1Container { Name = $"c{i}" })] },
        Status = new()
        {
            Phase = "Running",
            ContainerStatuses = [.. states.Select((state, i) => new V1ContainerStatus { Name = $"c{i}", State = state, Ready = true, RestartCount = 0, Image = "", ImageID = "" })],
        },
    };
}
