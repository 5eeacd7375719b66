namespace Graft.Conformance.Harness;

/// <summary>
/// A person's cluster, named by <c>GRAFT_TEST_KUBECONFIG</c>. Nothing of it is changed but namespaces and one CRD with a generated prefix,
/// which are removed at the end.
/// </summary>
public sealed class ForeignServer : Server
{
    public const string KubeconfigVariable = "GRAFT_TEST_KUBECONFIG";
    public const string ShellImageVariable = "GRAFT_TEST_SHELL_IMAGE";

    public override string ShellImage => Variable(ShellImageVariable) ?? "graft.invalid/shell:unnamed";

    public override string? Missing => Variable(KubeconfigVariable) is null ? $"{KubeconfigVariable} names no cluster" : null;

    public override string? MissingForPods => Missing
        ?? (Variable(ShellImageVariable) is null ? $"{KubeconfigVariable} is set, but {ShellImageVariable} names no image with /bin/sh" : null);

    private protected override Task<string> KubeconfigAsync() => Task.FromResult(Variable(KubeconfigVariable)!);

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}

[CollectionDefinition(Name)]
public sealed class OnForeign : ICollectionFixture<ForeignServer>
{
    public const string Name = "foreign";
}
