namespace Graft.Integration.Harness;

/// <summary>The embedded API server, started as a person starts it.</summary>
public sealed class EmbeddedCluster : Cluster
{
    private readonly string _folder = Directory.CreateTempSubdirectory("graft-integration-").FullName;
    private ProgramRun? _local;

    public override string TrainerImage => "graft.dev/trainer:local";
    public override string ServerImage => "graft.dev/server:local";

    // A trainer built for processors would train, but not on the GPU.
    public override string? MissingForGpu =>
        File.ReadAllText(Repository.Output("Trainer", "graft-trainer.runtimeconfig.json"))
            .Contains("libtorch-cuda", StringComparison.Ordinal)
            ? null
            : "the trainer is built for processors: -p:TorchBackend=cuda selects the other";

    /// <summary>The process that serves the API and is the parent of all pods.</summary>
    internal ProgramRun Local => _local ?? throw new InvalidOperationException("the cluster has not started");

    protected override IReadOnlyList<string> OperatorArguments => ["--service-address", "ClusterIP"];

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        if (_local is not null) await _local.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private protected override async Task<string> KubeconfigAsync()
    {
        var manifests = Directory.CreateDirectory(Path.Combine(_folder, "manifests")).FullName;
        await File.WriteAllTextAsync(
            Path.Combine(manifests, "namespace.yaml"), "apiVersion: v1\nkind: Namespace\nmetadata: {name: integration}\n");
        _local = ProgramRun.Start(
            Repository.OperatorProgram, ["local", manifests, "--keep", "--no-operator", "--state", Path.Combine(_folder, "state")]);
        return await _local.KubeconfigAsync(StartLimit);
    }
}

[CollectionDefinition(Name)]
public sealed class OnEmbedded : ICollectionFixture<EmbeddedCluster>
{
    public const string Name = "embedded";
}
