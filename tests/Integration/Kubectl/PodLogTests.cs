using Graft.Integration.Harness;

namespace Graft.Integration.Kubectl;

/// <summary>Following what a pod prints.</summary>
[Trait("needs", "pods")]
public abstract class PodLogTests(Cluster cluster) : ClusterTests(cluster, "pods")
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public static TheoryData<string> Versions => KubectlProgram.Versions;

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task Logs_of_a_running_pod_are_followed_line_by_line_to_its_end(string version)
    {
        using var kubectl = KubectlProgram.Of(version, Api.Kubeconfig, Space.Name);
        var pod = $"{Api.Core(Space.Name, "pods")}/talker";
        await Space.StartScriptAsync("talker", "echo first; sleep 2; echo second");
        await Space.UntilAsync(pod, "runs", Limit, p => p.Text("status.phase") == "Running");

        await using var logs = kubectl.Start("logs", "--follow", "talker");
        await logs.LineWithAsync("first", Limit);
        Assert.Equal("Running", (await Api.GetAsync(pod)).Object().Text("status.phase"));
        Assert.DoesNotContain("second", logs.Output, StringComparison.Ordinal);
        await logs.WaitForExitAsync(Limit);

        Assert.Equal(0, logs.ExitCode);
        Assert.Equal("first\nsecond\n", logs.Output);
        await Space.UntilAsync(pod, "ended", Limit, p => p.Text("status.phase") == "Succeeded");
        Assert.Matches(@"talker\s+0/1\s+Completed", await kubectl.RunAsync("get", "pods"));
        Assert.Contains("Exit Code:    0", await kubectl.RunAsync("describe", "pod", "talker"), StringComparison.Ordinal);
    }
}

[Collection(OnEmbedded.Name)]
public sealed class PodLogTestsOnEmbedded(EmbeddedCluster cluster) : PodLogTests(cluster);

[Collection(OnForeign.Name)]
public sealed class PodLogTestsOnForeign(ForeignCluster cluster) : PodLogTests(cluster);
