using System.Text.Json.Nodes;
using Graft.Integration.Harness;

namespace Graft.Integration;

/// <summary>From a manifest to an answer, through nothing but the API.</summary>
public abstract class RoadTests(Cluster cluster) : PodTests(cluster)
{
    [SkippableFact]
    public async Task A_FineTuneJob_becomes_an_adapter_that_every_replica_serves()
    {
        await SeedAsync();
        await CreateAsync(TestNamespace.FineTuneJob("tickets"));

        var done = await Space.UntilAsync(FineTuneJob("tickets"), "succeeded", Limit, j => j.ConditionStatus("Succeeded") == "True");

        Assert.Equal("True", done.ConditionStatus("Ready"));
        Assert.Equal("False", done.ConditionStatus("Reconciling"));
        Assert.Equal("False", done.ConditionStatus("Stalled"));
        Assert.Equal("Succeeded", done.Text("status.phase"));
        Assert.Equal("lora", done.Text("status.method"));
        Assert.StartsWith("pvc://adapters/tickets-", done.Text("status.artifact.uri"), StringComparison.Ordinal);
        Assert.Matches("^sha256:[0-9a-f]{64}$", done.Text("status.artifact.digest"));
        Assert.Equal(done.Text("metadata.generation"), done.Text("status.observedGeneration"));

        await CreateAsync(TestNamespace.AdapterDeployment("desk", "tickets", replicas: 2));
        var serving = await Space.UntilAsync(AdapterDeployment("desk"), "ready", Limit, d => d.ConditionStatus("Ready") == "True");

        Assert.Equal("2", serving.Text("status.readyReplicas"));
        Assert.Equal("2", serving.Text("status.adapters.0.replicas.loaded"));
        Assert.Equal(done.Text("status.artifact.digest"), serving.Text("status.adapters.0.current.digest"));
        await AssertEveryPodServesAsync(serving);
    }

    private async Task AssertEveryPodServesAsync(JsonObject deployment)
    {
        var selector = Uri.EscapeDataString(deployment.Text("status.selector")!);
        var pods = (await Api.GetAsync($"{Api.Core(Space.Name, "pods")}?labelSelector={selector}")).Object()["items"]!.AsArray();
        Assert.Equal(2, pods.Count);
        foreach (var pod in pods)
        {
            var proxy = $"{Api.Core(Space.Name, "pods")}/{pod.Text("metadata.name")}:8000/proxy";
            var models = (await Api.GetAsync($"{proxy}/v1/models")).Object()["data"]!.AsArray();
            Assert.Contains(models, m => m.Text("id") == "tickets");
            var answer = await Api.SendAsync(
                HttpMethod.Post, $"{proxy}/v1/completions", JsonNode.Parse("""{"model": "tickets", "prompt": "Hello", "max_tokens": 4}"""));
            Assert.Equal("tickets", answer.Object().Text("model"));
        }
    }

    [SkippableFact]
    public async Task An_adapter_of_a_classifier_is_refused_before_any_pod_is_asked_to_load_it()
    {
        var row = "{\"text\": \"{0}\", \"label\": \"{1}\"}\n";
        await SeedAsync(string.Concat(Enumerable.Range(0, 16).Select(i => row
            .Replace("{0}", $"message {i}", StringComparison.Ordinal)
            .Replace("{1}", i % 2 == 0 ? "billing" : "returns", StringComparison.Ordinal))));
        await CreateAsync(TestNamespace.FineTuneJob("teams").With("spec.objective", """{"classification": {}}"""));
        var done = await Space.UntilAsync(FineTuneJob("teams"), "succeeded", Limit, j => j.ConditionStatus("Succeeded") == "True");
        Assert.Equal("SEQ_CLS", done.Text("status.artifact.task"));
        Assert.Equal("score", done.Text("status.artifact.modulesToSave.0"));

        await CreateAsync(TestNamespace.AdapterDeployment("desk", "teams"));
        // The base is up, so that the adapter alone is what is refused.
        var refused = await Space.UntilAsync(AdapterDeployment("desk"), "stalled with a pod", Limit,
            d => d.ConditionStatus("Stalled") == "True" && d.Text("status.readyReplicas") == "1");

        Assert.Equal("AdapterRefused", refused.Condition("Stalled").Text("reason"));
        Assert.Contains("classifies texts", refused.Condition("Stalled").Text("message"), StringComparison.Ordinal);
        Assert.Equal("Failed", refused.Text("status.adapters.0.candidate.state"));
        Assert.Contains("FineTuneJob 'teams'", refused.Text("status.adapters.0.candidate.message"), StringComparison.Ordinal);
        Assert.Equal("Degraded", refused.Text("status.phase"));
    }

    [SkippableFact]
    public async Task A_model_that_cannot_be_served_is_told_by_a_condition()
    {
        var files = Sample.Inputs();
        files["model/model.safetensors"] = files["model/model.safetensors"][..5000];
        await Space.SeedAsync("inputs", files);
        var deployment = TestNamespace.AdapterDeployment("broken", "nothing").With("spec.adapters", null);
        await CreateAsync(deployment);

        var failed = await Space.UntilAsync(AdapterDeployment("broken"), "stalled", Limit, d => d.ConditionStatus("Stalled") == "True");

        Assert.Contains("model.safetensors", failed.Condition("Stalled").Text("message"), StringComparison.Ordinal);
        Assert.Equal("False", failed.ConditionStatus("Ready"));
        Assert.Equal("False", failed.ConditionStatus("Available"));
        Assert.Equal("Failed", failed.Text("status.phase"));
    }
}

[Collection(OnEmbedded.Name)]
public sealed class RoadTestsOnEmbedded(EmbeddedCluster cluster) : RoadTests(cluster);

[Collection(OnForeign.Name)]
public sealed class RoadTestsOnForeign(ForeignCluster cluster) : RoadTests(cluster);
