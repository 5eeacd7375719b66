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
