using Graft.LocalCluster;
using Graft.LocalCluster.Kubelet;

namespace Graft.Conformance.Harness;

/// <summary>The embedded API server, in this process. Only here is it known what it is.</summary>
public sealed class EmbeddedServer : Server
{
    private readonly string _folder = Directory.CreateTempSubdirectory("graft-conformance-").FullName;
    private LocalCluster.LocalCluster? _cluster;

    public override string ShellImage => "conformance/shell:1";

    public override bool IsEmbedded => true;

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        if (_cluster is not null) await _cluster.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private protected override async Task<string> KubeconfigAsync()
    {
        var kubelet = new KubeletOptions { Images = new Dictionary<string, ImageProgram> { [ShellImage] = new("/bin/sh", "-c") } };
        _cluster = await LocalCluster.LocalCluster.StartAsync(new LocalClusterOptions
        {
            StateFolder = Path.Combine(_folder, "state"),
            Services = new ClusterServicesOptions { Kubelet = kubelet },
        });
        return _cluster.KubeconfigPath;
    }
}

[CollectionDefinition(Name)]
public sealed class OnEmbedded : ICollectionFixture<EmbeddedServer>
{
    public const string Name = "embedded";
}
