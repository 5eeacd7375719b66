namespace Graft.Integration.Harness;

/// <summary>
/// Tests that any API server can pass. A class of them is abstract and has one class for each cluster that it runs on; a test is
/// skipped, with the reason, where the cluster lacks what the trait <c>needs</c> names:
/// <list type="bullet">
/// <item><c>pods</c>: pods of Graft's images that really run.</item>
/// <item><c>node</c>: pods whose processes this test can see and signal.</item>
/// <item><c>gpu</c>: a node with <c>nvidia.com/gpu</c>.</item>
/// </list>
/// </summary>
public abstract class ClusterTests(Cluster cluster, string needs = "") : IAsyncLifetime
{
    private TestNamespace? _space;

    private protected Cluster Cluster => cluster;
    private protected Api Api => cluster.Api;

    /// <summary>A namespace of the test's own.</summary>
    private protected TestNamespace Space => _space ?? throw new InvalidOperationException("the test has not started");

    public virtual async Task InitializeAsync()
    {
        var missing = needs switch { "" => cluster.Missing, "node" => cluster.MissingForNode, _ => cluster.MissingForPods };
        Skip.If(missing is not null, missing);
        _space = await TestNamespace.CreateAsync(cluster);
    }

    public virtual async Task DisposeAsync()
    {
        if (_space is not null) await _space.DisposeAsync();
    }
}
