namespace Graft.Integration.Harness;

/// <summary>Tests whose pods train and serve: two claims, one with the quickstart's model and rows, one for what comes out.</summary>
[Trait("needs", "pods")]
public abstract class PodTests(Cluster cluster, string needs = "pods") : ClusterTests(cluster, needs)
{
    private protected static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await Space.ClaimAsync("inputs");
        await Space.ClaimAsync("adapters");
    }

    private protected string FineTuneJob(string name) => $"{Api.FineTuneJobs(Space.Name)}/{name}";

    private protected string AdapterDeployment(string name) => $"{Api.AdapterDeployments(Space.Name)}/{name}";

    private protected Task SeedAsync(string? trainRows = null) => Space.SeedAsync("inputs", Sample.Inputs(trainRows));

    private protected async Task CreateAsync(System.Text.Json.Nodes.JsonObject resource)
    {
        var path = resource.Text("kind") == "FineTuneJob" ? Api.FineTuneJobs(Space.Name) : Api.AdapterDeployments(Space.Name);
        (await Api.CreateAsync(path, resource)).Object();
    }

    /// <summary>Names of the pods that a FineTuneJob's Job has made and that are still there.</summary>
    private protected async Task<IReadOnlyList<string>> TrainerPodsAsync(string job) =>
        [.. (await Api.GetAsync($"{Api.Core(Space.Name, "pods")}?labelSelector=graft.dev/fine-tune-job={job}")).Object()["items"]!.AsArray()
            .Select(p => p.Text("metadata.name")!).Order()];

    private protected Task NoPodsOfAsync(string job) =>
        Poll.UntilAsync($"no trainer pod of {job} is left", Limit, async () => (await TrainerPodsAsync(job)).Count == 0);
}
