using System.Globalization;
using System.Net;
using Graft.Integration.Harness;

namespace Graft.Integration;

/// <summary>Runs that cannot succeed: which class of failure, and which place, the condition names.</summary>
public abstract class FailureTests(Cluster cluster) : PodTests(cluster)
{
    [SkippableTheory]
    [InlineData("""{"prompt": "a", "completion": "b"}""" + "\n" + """{"prompt": "broken""", "train.jsonl line 2")]
    [InlineData("", "train.jsonl")]
    [InlineData("""{"question": "a"}""", "prompt")]
    [InlineData("""{"prompt": "a", "completion": ""}""", "no supervised token")]
    public async Task A_dataset_error_stalls_the_job_with_its_class_and_place(string rows, string named)
    {
        await SeedAsync(rows);
        await CreateAsync(TestNamespace.FineTuneJob("bad"));

        var failed = await Space.UntilAsync(FineTuneJob("bad"), "stalled", Limit, j => j.ConditionStatus("Stalled") == "True");

        Assert.Equal("DataError", failed.Condition("Stalled").Text("reason"));
        Assert.Contains(named, failed.Condition("Stalled").Text("message"), StringComparison.Ordinal);
        Assert.Equal("False", failed.ConditionStatus("Succeeded"));
        Assert.Equal("Failed", failed.Text("status.phase"));
        // A person's error is not tried again.
        Assert.Equal("1", failed.Text("status.attempts.0.number"));
    }

    [SkippableFact]
    public async Task A_model_that_is_not_there_stalls_the_job()
    {
        await SeedAsync();
        await CreateAsync(TestNamespace.FineTuneJob("nomodel").With("spec.model.source", "\"pvc://inputs/data\""));

        var failed = await Space.UntilAsync(FineTuneJob("nomodel"), "stalled", Limit, j => j.ConditionStatus("Stalled") == "True");

        Assert.Equal("ModelError", failed.Condition("Stalled").Text("reason"));
        Assert.Contains("config.json", failed.Condition("Stalled").Text("message"), StringComparison.Ordinal);
    }
}

[Collection(OnEmbedded.Name)]
public sealed class FailureTestsOnEmbedded(EmbeddedCluster cluster) : FailureTests(cluster);

[Collection(OnForeign.Name)]
public sealed class FailureTestsOnForeign(ForeignCluster cluster) : FailureTests(cluster);

/// <summary>Failures that a test can cause only where it sees the processes of pods: here, not on a cluster.</summary>
[Collection(OnEmbedded.Name)]
[Trait("needs", "node")]
public sealed class KilledTrainerTests(EmbeddedCluster cluster) : PodTests(cluster, "node")
{
    [SkippableFact]
    public async Task A_trainer_killed_in_the_middle_is_recorded_and_tried_again_and_succeeds()
    {
        await SeedAsync();
        await CreateAsync(TestNamespace.FineTuneJob("victim", steps: 40));
        var running = await Space.UntilAsync(FineTuneJob("victim"), "runs", Limit, j => j.Text("status.phase") == "Running");
        var pod = running.Text("status.attempts.0.pod")!;
        await Poll.UntilAsync("the trainer is in the middle", Limit, async () =>
            await Api.GetAsync($"{Api.Core(Space.Name, "pods")}/{pod}:9090/proxy/progress") is { Status: HttpStatusCode.OK } progress
            && progress.Object().At("step")?.GetValue<int>() is > 0 and < 40);

        Processes.Kill(await TrainerOfAsync(pod, cluster.Local.Id));

        var done = await Space.UntilAsync(FineTuneJob("victim"), "succeeded", Limit, j => j.ConditionStatus("Succeeded") == "True");
        Assert.Equal("2", done.Text("status.attempts.0.number"));
        Assert.Null(done.At("status.attempts.0.failure"));
        Assert.Equal(pod, done.Text("status.attempts.1.pod"));
        Assert.Equal("Infrastructure", done.Text("status.attempts.1.failure.class"));
        Assert.Contains("137", done.Text("status.attempts.1.failure.message"), StringComparison.Ordinal);
        Assert.Equal("40", done.Text("status.progress.step"));
    }

    /// <summary>The process whose environment has the pod's address.</summary>
    private async Task<(int Id, string Started, string Command)> TrainerOfAsync(string pod, int kubelet)
    {
        var address = (await Api.GetAsync($"{Api.Core(Space.Name, "pods")}/{pod}")).Object().Text("status.podIP");
        return Assert.Single(Processes.DescendantsOf(kubelet), p =>
            p.Command.Contains("train --job", StringComparison.Ordinal)
            && Processes.Environment(p.Id).Contains(string.Create(CultureInfo.InvariantCulture, $"POD_IP={address}")));
    }
}
