using Graft.Integration.Harness;

namespace Graft.Integration;

/// <summary>Runs that ask for a GPU get one, and train on it.</summary>
[Trait("needs", "gpu")]
public abstract class GpuTests(Cluster cluster) : PodTests(cluster)
{
    [SkippableFact]
    public async Task A_FineTuneJob_that_asks_for_a_GPU_trains_on_it()
    {
        Skip.If(Cluster.MissingForGpu is not null, Cluster.MissingForGpu);
        var nodes = (await Api.GetAsync("/api/v1/nodes")).Object()["items"]!.AsArray();
        Skip.IfNot(nodes.Any(n => n.At("status.allocatable")?["nvidia.com/gpu"] is { } count && count.ToString() != "0"),
            "no node has nvidia.com/gpu");
        await SeedAsync();
        await CreateAsync(TestNamespace.FineTuneJob("fast").With("spec.resources", """{"gpu": {"count": 1}}"""));

        var done = await Space.UntilAsync(FineTuneJob("fast"), "succeeded", Limit, j => j.ConditionStatus("Succeeded") == "True");

        Assert.Equal("1xGPU", done.Text("status.gpu"));
        Assert.StartsWith("cuda", done.Text("status.resolved.device"), StringComparison.OrdinalIgnoreCase);
        var pod = (await Api.GetAsync($"{Api.Core(Space.Name, "pods")}/{(await TrainerPodsAsync("fast"))[0]}")).Object();
        Assert.Equal("1", pod.At("spec.containers.0.resources.limits")!["nvidia.com/gpu"]!.ToString());
    }
}

[Collection(OnEmbedded.Name)]
public sealed class GpuTestsOnEmbedded(EmbeddedCluster cluster) : GpuTests(cluster);

[Collection(OnForeign.Name)]
public sealed class GpuTestsOnForeign(ForeignCluster cluster) : GpuTests(cluster);
