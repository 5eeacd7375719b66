namespace Graft.Integration.Harness;

/// <summary>
/// A person's cluster, named by <c>GRAFT_TEST_KUBECONFIG</c>. Nothing of it is changed but the two CRDs, and namespaces that the
/// tests make and remove.
/// </summary>
public sealed class ForeignCluster : Cluster
{
    public const string KubeconfigVariable = "GRAFT_TEST_KUBECONFIG";
    public const string TrainerImageVariable = "GRAFT_TEST_TRAINER_IMAGE";
    public const string ServerImageVariable = "GRAFT_TEST_SERVER_IMAGE";
    public const string StorageClassVariable = "GRAFT_TEST_STORAGE_CLASS";

    public override string TrainerImage => Variable(TrainerImageVariable) ?? "graft.invalid/trainer:unnamed";
    public override string ServerImage => Variable(ServerImageVariable) ?? "graft.invalid/server:unnamed";
    public override string? StorageClass => Variable(StorageClassVariable);

    public override string? Missing => Variable(KubeconfigVariable) is null ? $"{KubeconfigVariable} names no cluster" : null;

    public override string? MissingForPods => Missing
        ?? (Variable(TrainerImageVariable) is null ? $"{KubeconfigVariable} is set, but {TrainerImageVariable} names no image" : null)
        ?? (Variable(ServerImageVariable) is null ? $"{KubeconfigVariable} is set, but {ServerImageVariable} names no image" : null);

    public override string? MissingForNode => Missing ?? "the processes of a cluster's pods are not this machine's";

    private protected override Task<string> KubeconfigAsync() => Task.FromResult(Variable(KubeconfigVariable)!);

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}

[CollectionDefinition(Name)]
public sealed class OnForeign : ICollectionFixture<ForeignCluster>
{
    public const string Name = "foreign";
}
