using System.Text;
using System.Text.Json.Nodes;
using Graft.Integration.Harness;

namespace Graft.Integration;

/// <summary>From a manifest to an answer, through nothing but the API.</summary>
[Collection(ClusterTests.Name)]
[Trait("needs", "pods")]
public sealed class RoadTests(Cluster cluster) : IAsyncLifetime
{
    private static readonly TimeSpan TrainingLimit = TimeSpan.FromMinutes(3);
    private TestNamespace _space = null!;

    public async Task InitializeAsync()
    {
        _space = await TestNamespace.CreateAsync(cluster);
        await _space.ClaimAsync("inputs");
        await _space.ClaimAsync("adapters");
    }

    public async Task DisposeAsync() => await _space.DisposeAsync();

    private string FineTuneJob(string name) => $"{Api.FineTuneJobs(_space.Name)}/{name}";

    private async Task SeedAsync(string? trainRows = null)
    {
        var sample = Path.Combine(Repository.Root, "samples", "quickstart");
        var files = Directory.EnumerateFiles(Path.Combine(sample, "model")).ToDictionary(f => "model/" + Path.GetFileName(f), File.ReadAllBytes);
        files["data/train.jsonl"] = trainRows is null
            ? File.ReadAllBytes(Path.Combine(sample, "data", "train.jsonl"))
            : Encoding.UTF8.GetBytes(trainRows);
        await _space.SeedAsync("inputs", files);
    }

    [Fact]
    public async Task A_FineTuneJob_becomes_an_adapter_that_every_replica_serves()
    {
        await SeedAsync();
        (await cluster.Api.CreateAsync(Api.FineTuneJobs(_space.Name), TestNamespace.FineTuneJob("tickets"))).Object();

        var done = await _space.UntilAsync(FineTuneJob("tickets"), "succeeded", TrainingLimit, j => j.ConditionStatus("Succeeded") == "True");

        Assert.Equal("True", done.ConditionStatus("Ready"));
        Assert.Equal("False", done.ConditionStatus("Reconciling"));
        Assert.Equal("False", done.ConditionStatus("Stalled"));
        Assert.Equal("Succeeded", done.Text("status.phase"));
        Assert.Equal("lora", done.Text("status.method"));
        Assert.StartsWith("pvc://adapters/tickets-", done.Text("status.artifact.uri"), StringComparison.Ordinal);
        Assert.Matches("^sha256:[0-9a-f]{64}$", done.Text("status.artifact.digest"));
        Assert.Equal(done.Text("metadata.generation"), done.Text("status.observedGeneration"));

        (await cluster.Api.CreateAsync(
            Api.AdapterDeployments(_space.Name), TestNamespace.AdapterDeployment("desk", "tickets", replicas: 2))).Object();
        var serving = await _space.UntilAsync(
            $"{Api.AdapterDeployments(_space.Name)}/desk", "ready", TrainingLimit, d => d.ConditionStatus("Ready") == "True");

        Assert.Equal("2", serving.Text("status.readyReplicas"));
        Assert.Equal("2", serving.Text("status.adapters.0.replicas.loaded"));
        Assert.Equal(done.Text("status.artifact.digest"), serving.Text("status.adapters.0.current.digest"));
        await AssertEveryPodServesAsync(serving);
    }

    private async Task AssertEveryPodServesAsync(JsonObject deployment)
    {
        var selector = Uri.EscapeDataString(deployment.Text("status.selector")!);
        var pods = (await cluster.Api.GetAsync($"{Api.Core(_space.Name, "pods")}?labelSelector={selector}")).Object()["items"]!.AsArray();
        Assert.Equal(2, pods.Count);
        foreach (var pod in pods)
        {
            var proxy = $"{Api.Core(_space.Name, "pods")}/{pod.Text("metadata.name")}:8000/proxy";
            var models = (await cluster.Api.GetAsync($"{proxy}/v1/models")).Object()["data"]!.AsArray();
            Assert.Contains(models, m => m.Text("id") == "tickets");
            var answer = await cluster.Api.SendAsync(
                HttpMethod.Post, $"{proxy}/v1/completions", JsonNode.Parse("""{"model": "tickets", "prompt": "Hello", "max_tokens": 4}"""));
            Assert.Equal("tickets", answer.Object().Text("model"));
        }
    }

    [Fact]
    public async Task Progress_is_seen_while_it_trains()
    {
        await SeedAsync();
        (await cluster.Api.CreateAsync(Api.FineTuneJobs(_space.Name), TestNamespace.FineTuneJob("long", steps: 100_000))).Object();

        var running = await _space.UntilAsync(
            FineTuneJob("long"), "shows its progress", TrainingLimit, j => j.At("status.progress.step")?.GetValue<int>() > 0);

        Assert.Equal("Running", running.Text("status.phase"));
        Assert.Equal("100000", running.Text("status.progress.steps"));
        Assert.Equal("Unknown", running.ConditionStatus("Succeeded"));

        (await cluster.Api.MergePatchAsync(FineTuneJob("long"), """{"spec": {"suspend": true}}""")).Object();
        var suspended = await _space.UntilAsync(FineTuneJob("long"), "suspended", TrainingLimit, j => j.Text("status.phase") == "Suspended");
        Assert.Equal("Suspended", suspended.Condition("Ready").Text("reason"));
        await NoPodsOfAsync("long");
    }

    [Fact]
    public async Task Deleting_a_FineTuneJob_removes_what_it_owns()
    {
        await SeedAsync();
        (await cluster.Api.CreateAsync(Api.FineTuneJobs(_space.Name), TestNamespace.FineTuneJob("gone", steps: 100_000))).Object();
        await _space.UntilAsync(FineTuneJob("gone"), "runs", TrainingLimit, j => j.Text("status.phase") == "Running");

        (await cluster.Api.DeleteAsync(FineTuneJob("gone"))).Object();

        await NoPodsOfAsync("gone");
        await Poll.UntilAsync("no Job is left", TrainingLimit, async () =>
            (await cluster.Api.GetAsync(Api.Jobs(_space.Name))).Object()["items"]!.AsArray().Count == 0);
    }

    private Task NoPodsOfAsync(string job) => Poll.UntilAsync($"no trainer pod of {job} is left", TrainingLimit, async () =>
        (await cluster.Api.GetAsync(Api.Core(_space.Name, "pods"))).Object()["items"]!.AsArray()
        .All(p => p.Text("metadata.name")!.StartsWith("seed-", StringComparison.Ordinal)));

    [Theory]
    [InlineData("""{"prompt": "a", "completion": "b"}""" + "\n" + """{"prompt": "broken""", "DataError", "2")]
    [InlineData("", "DataError", "train.jsonl")]
    [InlineData("""{"question": "a"}""", "DataError", "prompt")]
    public async Task A_dataset_error_stalls_the_job_with_its_class_and_place(string rows, string reason, string named)
    {
        await SeedAsync(rows);
        (await cluster.Api.CreateAsync(Api.FineTuneJobs(_space.Name), TestNamespace.FineTuneJob("bad"))).Object();

        var failed = await _space.UntilAsync(FineTuneJob("bad"), "stalled", TrainingLimit, j => j.ConditionStatus("Stalled") == "True");

        Assert.Equal(reason, failed.Condition("Stalled").Text("reason"));
        Assert.Contains(named, failed.Condition("Stalled").Text("message"), StringComparison.Ordinal);
        Assert.Equal("False", failed.ConditionStatus("Succeeded"));
        Assert.Equal("Failed", failed.Text("status.phase"));
    }

    [Fact]
    public async Task A_model_that_is_not_there_stalls_the_job()
    {
        await SeedAsync();
        var job = TestNamespace.FineTuneJob("nomodel").With("spec.model.source", "\"pvc://inputs/data\"");
        (await cluster.Api.CreateAsync(Api.FineTuneJobs(_space.Name), job)).Object();

        var failed = await _space.UntilAsync(FineTuneJob("nomodel"), "stalled", TrainingLimit, j => j.ConditionStatus("Stalled") == "True");

        Assert.Equal("ModelError", failed.Condition("Stalled").Text("reason"));
        Assert.Contains("config.json", failed.Condition("Stalled").Text("message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_operator_killed_while_a_job_trains_finds_it_again_and_runs_nothing_twice()
    {
        await SeedAsync();
        (await cluster.Api.CreateAsync(Api.FineTuneJobs(_space.Name), TestNamespace.FineTuneJob("survivor", steps: 60))).Object();
        await _space.UntilAsync(FineTuneJob("survivor"), "runs", TrainingLimit, j => j.Text("status.phase") == "Running");

        await cluster.KillOperatorAsync();
        var before = await TrainerPodsAsync("survivor");
        await cluster.StartOperatorAsync();

        var done = await _space.UntilAsync(FineTuneJob("survivor"), "succeeded", TrainingLimit, j => j.ConditionStatus("Succeeded") == "True");
        Assert.Equal("60", done.Text("status.progress.step"));
        Assert.Equal(before, await TrainerPodsAsync("survivor"));
        Assert.Single(before);
        Assert.Single((await cluster.Api.GetAsync(Api.Jobs(_space.Name))).Object()["items"]!.AsArray());
    }

    private async Task<IReadOnlyList<string>> TrainerPodsAsync(string job) =>
        [.. (await cluster.Api.GetAsync(Api.Core(_space.Name, "pods"))).Object()["items"]!.AsArray()
            .Select(p => p.Text("metadata.name")!).Where(n => n.StartsWith(job, StringComparison.Ordinal)).Order()];
}
