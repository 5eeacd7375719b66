using System.Text.Json.Nodes;
using Graft.Integration.Harness;

namespace Graft.Integration;

/// <summary>What happens to a run between its manifest and its end, and after it.</summary>
public abstract class LifecycleTests(Cluster cluster) : PodTests(cluster)
{
    [SkippableFact]
    public async Task A_suspended_run_can_be_resumed_to_its_end()
    {
        await SeedAsync();
        await CreateAsync(TestNamespace.FineTuneJob("paused", steps: 40));
        await Space.UntilAsync(FineTuneJob("paused"), "runs", Limit, j => j.Text("status.phase") == "Running");

        await SuspendAsync("paused", true);
        var suspended = await Space.UntilAsync(FineTuneJob("paused"), "suspended", Limit, j => j.Text("status.phase") == "Suspended");
        Assert.Equal("Suspended", suspended.Condition("Ready").Text("reason"));
        Assert.Equal("False", suspended.ConditionStatus("Reconciling"));
        await NoPodsOfAsync("paused");

        await SuspendAsync("paused", false);
        var done = await Space.UntilAsync(FineTuneJob("paused"), "succeeded", Limit, j => j.ConditionStatus("Succeeded") == "True");
        Assert.Equal("40", done.Text("status.progress.step"));
        Assert.Equal("2", done.Text("status.attempts.0.number"));
        Assert.Null(done.At("status.attempts.0.failure"));
        Assert.Single((await Api.GetAsync(Api.Jobs(Space.Name))).Object()["items"]!.AsArray());
    }

    private async Task SuspendAsync(string job, bool suspend)
    {
        var patch = new JsonObject { ["spec"] = new JsonObject { ["suspend"] = suspend } };
        (await Api.MergePatchAsync(FineTuneJob(job), patch.ToJsonString())).Object();
    }

    [SkippableFact]
    public async Task A_run_with_a_time_to_live_goes_when_it_is_over_and_its_artifact_stays()
    {
        await SeedAsync();
        await CreateAsync(TestNamespace.FineTuneJob("brief").With("spec.ttlAfterFinished", """{"succeeded": "5s"}"""));
        var done = await Space.UntilAsync(FineTuneJob("brief"), "succeeded", Limit, j => j.ConditionStatus("Succeeded") == "True");
        var artifact = done.At("status.artifact.uri")!;

        await Poll.UntilAsync("the FineTuneJob is gone", Limit, async () => await Api.FindAsync(FineTuneJob("brief")) is null);
        await NoPodsOfAsync("brief");

        // A server that is given the artifact by its place proves that it is whole.
        var heir = TestNamespace.AdapterDeployment("heir", "brief");
        heir["spec"]!["adapters"]![0]!["from"] = new JsonObject { ["artifact"] = new JsonObject { ["uri"] = artifact.DeepClone() } };
        await CreateAsync(heir);
        await Space.UntilAsync(AdapterDeployment("heir"), "ready", Limit, d => d.ConditionStatus("Ready") == "True");
    }

    [SkippableFact]
    public async Task A_run_shows_its_progress_and_deleting_it_removes_what_it_owns()
    {
        await SeedAsync();
        await CreateAsync(TestNamespace.FineTuneJob("gone", steps: 100_000));
        var running = await Space.UntilAsync(
            FineTuneJob("gone"), "shows its progress", Limit, j => j.At("status.progress.step")?.GetValue<int>() > 0);
        Assert.Equal("Running", running.Text("status.phase"));
        Assert.Equal("100000", running.Text("status.progress.steps"));
        Assert.Equal("Unknown", running.ConditionStatus("Succeeded"));

        (await Api.DeleteAsync(FineTuneJob("gone"))).Object();

        await NoPodsOfAsync("gone");
        await Poll.UntilAsync("no Job is left", Limit, async () =>
            (await Api.GetAsync(Api.Jobs(Space.Name))).Object()["items"]!.AsArray().Count == 0);
    }

    [SkippableFact]
    public async Task An_operator_killed_while_a_job_trains_finds_it_again_and_runs_nothing_twice()
    {
        await SeedAsync();
        await CreateAsync(TestNamespace.FineTuneJob("survivor", steps: 40));
        await Space.UntilAsync(FineTuneJob("survivor"), "runs", Limit, j => j.Text("status.phase") == "Running");

        await Cluster.KillOperatorAsync();
        var before = await TrainerPodsAsync("survivor");
        await Cluster.StartOperatorAsync();

        var done = await Space.UntilAsync(FineTuneJob("survivor"), "succeeded", Limit, j => j.ConditionStatus("Succeeded") == "True");
        Assert.Equal("40", done.Text("status.progress.step"));
        Assert.Equal(before, await TrainerPodsAsync("survivor"));
        Assert.Single(before);
        Assert.Single((await Api.GetAsync(Api.Jobs(Space.Name))).Object()["items"]!.AsArray());
    }
}

[Collection(OnEmbedded.Name)]
public sealed class LifecycleTestsOnEmbedded(EmbeddedCluster cluster) : LifecycleTests(cluster);

[Collection(OnForeign.Name)]
public sealed class LifecycleTestsOnForeign(ForeignCluster cluster) : LifecycleTests(cluster);
