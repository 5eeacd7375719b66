namespace Graft.Integration.Harness;

/// <summary>
/// The API server that the tests run against, with an operator beside it as a process of its own, outside the cluster. It is the embedded one, started as
/// a person starts it, or the one that <c>GRAFT_TEST_KUBECONFIG</c> names; the tests do not know which.
/// </summary>
public sealed class Cluster : IAsyncLifetime
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private readonly string _folder = Directory.CreateTempSubdirectory("graft-integration-").FullName;
    private ProgramRun? _local;
    private ProgramRun? _operator;
    private Api? _api;

    public static string? ForeignKubeconfig => Variable("GRAFT_TEST_KUBECONFIG");
    public static string? StorageClass => Variable("GRAFT_TEST_STORAGE_CLASS");
    public static string TrainerImage => Variable("GRAFT_TEST_TRAINER_IMAGE") ?? "graft.dev/trainer:local";
    public static string ServerImage => Variable("GRAFT_TEST_SERVER_IMAGE") ?? "graft.dev/server:local";
    public static bool IsEmbedded => ForeignKubeconfig is null;

    internal Api Api => _api ?? throw new InvalidOperationException("the cluster has not started");
    internal ProgramRun Operator => _operator ?? throw new InvalidOperationException("the operator has not started");

    /// <summary>The end of what the operator printed, for a failure's message.</summary>
    internal string OperatorOutput => _operator is null ? "" : "\noperator:\n" + string.Join('\n', _operator.Output.Split('\n').TakeLast(30));

    public async Task InitializeAsync()
    {
        var kubeconfig = ForeignKubeconfig ?? await StartEmbeddedAsync();
        _api = new Api(kubeconfig);
        await ApplyDefinitionsAsync();
        await StartOperatorAsync();
    }

    /// <summary>Kills the operator as a node failure would.</summary>
    internal async Task KillOperatorAsync()
    {
        Operator.Kill();
        await Operator.WaitForExitAsync(TimeSpan.FromSeconds(10));
    }

    internal async Task StartOperatorAsync()
    {
        List<string> arguments =
        [
            "run", "--kubeconfig", Api.Kubeconfig, "--trainer-image", TrainerImage, "--server-image", ServerImage,
        ];
        if (IsEmbedded) arguments.AddRange(["--service-address", "ClusterIP"]);
        _operator = ProgramRun.Start(Repository.OperatorProgram, arguments);
        await _operator.LineWithAsync("Controller finetunejob starts", StartLimit);
    }

    public async Task DisposeAsync()
    {
        if (_operator is not null) await _operator.DisposeAsync();
        _api?.Dispose();
        if (_local is not null) await _local.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<string> StartEmbeddedAsync()
    {
        var manifests = Directory.CreateDirectory(Path.Combine(_folder, "manifests")).FullName;
        await File.WriteAllTextAsync(Path.Combine(manifests, "namespace.yaml"), "apiVersion: v1\nkind: Namespace\nmetadata: {name: integration}\n");
        _local = ProgramRun.Start(
            Repository.OperatorProgram, ["local", manifests, "--keep", "--no-operator", "--state", Path.Combine(_folder, "state")]);
        var line = await _local.LineWithAsync("KUBECONFIG=", StartLimit);
        return line[(line.IndexOf("KUBECONFIG=", StringComparison.Ordinal) + "KUBECONFIG=".Length)..].Trim();
    }

    private async Task ApplyDefinitionsAsync()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "crds"), "*.yaml").Order())
        {
            if (Path.GetFileName(file) == "kustomization.yaml") continue;
            var definition = Yaml.Read(await File.ReadAllTextAsync(file));
            var path = $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{definition.Text("metadata.name")}";
            (await Api.ApplyAsync(path, definition)).Object();
            await Poll.UntilAsync($"{path} is established", StartLimit,
                async () => (await Api.FindAsync(path)).ConditionStatus("Established") == "True");
        }
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}

[CollectionDefinition(Name)]
public sealed class ClusterTests : ICollectionFixture<Cluster>
{
    public const string Name = "cluster";
}
