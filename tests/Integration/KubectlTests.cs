using Graft.Integration.Harness;

namespace Graft.Integration;

/// <summary>kubectl's daily verbs on our kinds, with the real programs that <c>make components</c> fetches.</summary>
[Collection(ClusterTests.Name)]
public sealed class KubectlTests(Cluster cluster) : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("graft-kubectl-").FullName;
    private TestNamespace _space = null!;
    private string _program = "";

    public async Task InitializeAsync() => _space = await TestNamespace.CreateAsync(cluster);

    public async Task DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        await _space.DisposeAsync();
    }

    public static TheoryData<string> Versions => ["1.29", "1.30", "1.31", "1.32", "1.33"];

    private void Use(string version)
    {
        _program = Path.Combine(Repository.Components, $"kubectl-{version}");
        Skip.IfNot(File.Exists(_program), $"kubectl {version} is not there: make components fetches it");
    }

    private async Task<ProgramRun> RunAsync(params string[] arguments) => await ProgramRun.ToEndAsync(
        _program, ["--kubeconfig", cluster.Api.Kubeconfig, "--namespace", _space.Name, "--cache-dir", Path.Combine(_folder, "cache"), .. arguments], Limit);

    private async Task<string> KubectlAsync(params string[] arguments)
    {
        await using var run = await RunAsync(arguments);
        Assert.True(run.ExitCode == 0, $"kubectl {string.Join(' ', arguments)} ended with {run.ExitCode}:\n{run.Output}");
        return run.Output;
    }

    private string Manifest(System.Text.Json.Nodes.JsonObject content)
    {
        var path = Path.Combine(_folder, $"{Guid.NewGuid():N}.json");
        File.WriteAllText(path, content.ToJsonString());
        return path;
    }

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task The_daily_verbs_work_on_a_FineTuneJob(string version)
    {
        Use(version);
        var manifest = Manifest(TestNamespace.FineTuneJob("daily").With("spec.suspend", "true"));

        Assert.Contains("created", await KubectlAsync("apply", "-f", manifest), StringComparison.Ordinal);
        Assert.Contains("unchanged", await KubectlAsync("apply", "-f", manifest), StringComparison.Ordinal);
        await KubectlAsync("diff", "-f", manifest);
        Assert.Contains("serverside-applied", await KubectlAsync("apply", "--server-side", "--force-conflicts", "-f", manifest), StringComparison.Ordinal);
        await KubectlAsync("diff", "--server-side", "--force-conflicts", "-f", manifest);
        Assert.Contains("METHOD", await KubectlAsync("get", "ftj"), StringComparison.Ordinal);
        Assert.Contains("daily", await KubectlAsync("get", "graft", "-o", "name"), StringComparison.Ordinal);
        await KubectlAsync("wait", "ftj/daily", "--for=jsonpath={.status.phase}=Suspended", "--timeout=30s");
        Assert.Contains("Suspended", await KubectlAsync("describe", "ftj", "daily"), StringComparison.Ordinal);
        Assert.Contains("FIELD", await KubectlAsync("explain", "ftj.spec.method"), StringComparison.OrdinalIgnoreCase);
        await KubectlAsync("events", "--for", "ftj/daily");
        await KubectlAsync("label", "ftj", "daily", "a=b");
        Assert.Contains("deleted", await KubectlAsync("delete", "ftj", "daily"), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task A_misspelt_field_is_refused_and_named(string version)
    {
        Use(version);
        var manifest = Manifest(TestNamespace.FineTuneJob("misspelt").With("spec.trainning", "{}"));

        await using var run = await RunAsync("apply", "-f", manifest);

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("unknown field \"spec.trainning\"", run.Output, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    [Trait("needs", "pods")]
    public async Task Logs_of_a_pod_can_be_followed_to_their_end(string version)
    {
        Use(version);
        await _space.ClaimAsync("inputs");
        await _space.SeedAsync("inputs", new Dictionary<string, byte[]> { ["a"] = "content"u8.ToArray() });

        await KubectlAsync("logs", "-f", "seed-inputs");
        Assert.Contains("Completed", await KubectlAsync("get", "pods"), StringComparison.Ordinal);
        Assert.Contains("seed-inputs-0", await KubectlAsync("describe", "pod", "seed-inputs"), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task Two_managers_of_one_field_conflict_until_one_forces(string version)
    {
        Use(version);
        var first = Manifest(TestNamespace.AdapterDeployment("shared", "nothing"));
        var second = Manifest(TestNamespace.AdapterDeployment("shared", "nothing", replicas: 3));
        await KubectlAsync("apply", "--server-side", "--field-manager=first", "-f", first);

        await using var conflict = await RunAsync("apply", "--server-side", "--field-manager=second", "-f", second);
        Assert.NotEqual(0, conflict.ExitCode);
        Assert.Contains(".spec.replicas", conflict.Output, StringComparison.Ordinal);

        await KubectlAsync("apply", "--server-side", "--field-manager=second", "--force-conflicts", "-f", second);
        Assert.Contains("3", await KubectlAsync("get", "adp", "shared", "-o", "jsonpath={.spec.replicas}"), StringComparison.Ordinal);
    }
}
