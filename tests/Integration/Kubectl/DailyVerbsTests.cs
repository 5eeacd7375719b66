using System.Text.RegularExpressions;
using Graft.Integration.Harness;

namespace Graft.Integration.Kubectl;

/// <summary>kubectl's daily verbs on our kinds.</summary>
public abstract class DailyVerbsTests(Cluster cluster) : ClusterTests(cluster)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static TheoryData<string> Versions => KubectlProgram.Versions;

    private KubectlProgram Of(string version) => KubectlProgram.Of(version, Api.Kubeconfig, Space.Name);

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task The_daily_verbs_work_on_a_FineTuneJob(string version)
    {
        using var kubectl = Of(version);
        var manifest = kubectl.File(TestNamespace.FineTuneJob("daily").With("spec.suspend", "true"));

        Assert.Contains("created", await kubectl.RunAsync("apply", "-f", manifest), StringComparison.Ordinal);
        Assert.Contains("unchanged", await kubectl.RunAsync("apply", "-f", manifest), StringComparison.Ordinal);
        Assert.Contains("serverside-applied", await kubectl.RunAsync("apply", "--server-side", "--force-conflicts", "-f", manifest),
            StringComparison.Ordinal);
        Assert.Matches(@"NAME\s+METHOD\s+PHASE\s+PROGRESS\s+LOSS\s+ETA\s+AGE\s+daily\s+lora", await kubectl.RunAsync("get", "ftj"));
        Assert.Contains("finetunejob.graft.dev/daily", await kubectl.RunAsync("get", "graft", "-o", "name"), StringComparison.Ordinal);
        await kubectl.RunAsync("wait", "ftj/daily", "--for=jsonpath={.status.phase}=Suspended", "--timeout=30s");
        Assert.Matches(@"Phase:\s+Suspended", await kubectl.RunAsync("describe", "ftj", "daily"));
        Assert.Contains("FIELD", await kubectl.RunAsync("explain", "ftj.spec.method"), StringComparison.OrdinalIgnoreCase);
        await Poll.UntilAsync("the event of the suspension is listed", Limit, async () =>
            Regex.IsMatch(await kubectl.RunAsync("events", "--for", "ftj/daily"), @"Normal\s+Suspended\s+FineTuneJob/daily"));
        await kubectl.RunAsync("label", "ftj", "daily", "a=b");
        Assert.Contains("daily", await kubectl.RunAsync("get", "ftj", "-l", "a=b"), StringComparison.Ordinal);
        Assert.Contains("deleted", await kubectl.RunAsync("delete", "ftj", "daily"), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task A_watch_shows_each_change_as_it_happens(string version)
    {
        using var kubectl = Of(version);
        (await Api.CreateAsync(Api.FineTuneJobs(Space.Name), TestNamespace.FineTuneJob("early").With("spec.suspend", "true"))).Object();
        await using var watch = kubectl.Start("get", "ftj", "--watch");
        await watch.LineWithAsync("early", Limit);

        (await Api.CreateAsync(Api.FineTuneJobs(Space.Name), TestNamespace.FineTuneJob("late").With("spec.suspend", "true"))).Object();
        await Poll.UntilAsync("the new run and then its phase are printed", Limit,
            () => Task.FromResult(Regex.IsMatch(watch.Output, @"(?m)^late\s+lora\s+Suspended\b")), () => watch.Output);

        Assert.False(watch.HasExited, watch.Output);
        watch.InterruptByPerson();
        await watch.WaitForExitAsync(Limit);
    }

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task A_misspelt_field_is_refused_and_named(string version)
    {
        using var kubectl = Of(version);
        var manifest = kubectl.File(TestNamespace.FineTuneJob("misspelt").With("spec.trainning", "{}"));

        await using var run = await kubectl.TryAsync("apply", "-f", manifest);

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("unknown field \"spec.trainning\"", run.Output, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task Two_managers_of_one_field_conflict_until_one_forces(string version)
    {
        using var kubectl = Of(version);
        var first = kubectl.File(TestNamespace.AdapterDeployment("shared", "nothing"));
        var second = kubectl.File(TestNamespace.AdapterDeployment("shared", "nothing", replicas: 3));
        await kubectl.RunAsync("apply", "--server-side", "--field-manager=first", "-f", first);

        await using var conflict = await kubectl.TryAsync("apply", "--server-side", "--field-manager=second", "-f", second);
        Assert.NotEqual(0, conflict.ExitCode);
        Assert.Contains(".spec.replicas", conflict.Output, StringComparison.Ordinal);

        await kubectl.RunAsync("apply", "--server-side", "--field-manager=second", "--force-conflicts", "-f", second);
        Assert.Equal("3", (await kubectl.RunAsync("get", "adp", "shared", "-o", "jsonpath={.spec.replicas}")).Trim());
    }
}

[Collection(OnEmbedded.Name)]
public sealed class DailyVerbsTestsOnEmbedded(EmbeddedCluster cluster) : DailyVerbsTests(cluster);

[Collection(OnForeign.Name)]
public sealed class DailyVerbsTestsOnForeign(ForeignCluster cluster) : DailyVerbsTests(cluster);
