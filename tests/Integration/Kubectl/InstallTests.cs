using Graft.Integration.Harness;

namespace Graft.Integration.Kubectl;

/// <summary>
/// What the README says about a cluster. Only on the embedded one: a person's own cluster is nobody's to install an operator on.
/// </summary>
[Collection(OnEmbedded.Name)]
public sealed class InstallTests(EmbeddedCluster cluster) : ClusterTests(cluster)
{
    private const string System = "graft-system";

    public static TheoryData<string> Versions => KubectlProgram.Versions;

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task One_command_installs_the_kinds_the_rights_and_the_operator(string version)
    {
        using var kubectl = KubectlProgram.Of(version, Api.Kubeconfig, System);
        try
        {
            await kubectl.RunAsync("apply", "-k", Path.Combine(Repository.Root, "charts", "base"));

            var kinds = await kubectl.RunAsync("get", "crds", "-o", "name");
            Assert.Contains("customresourcedefinition.apiextensions.k8s.io/finetunejobs.graft.dev", kinds, StringComparison.Ordinal);
            Assert.Contains("customresourcedefinition.apiextensions.k8s.io/adapterdeployments.graft.dev", kinds, StringComparison.Ordinal);
            await kubectl.RunAsync("wait", "crd/finetunejobs.graft.dev", "--for=condition=Established", "--timeout=30s");
            Assert.Matches(@"graft-operator\s+0/1", await kubectl.RunAsync("get", "deployment"));
            Assert.Contains("graft-operator", await kubectl.RunAsync("get", "clusterrole,clusterrolebinding,serviceaccount", "-o", "name"),
                StringComparison.Ordinal);
            Assert.DoesNotContain("created", await kubectl.RunAsync("apply", "-k", Path.Combine(Repository.Root, "charts", "base")),
                StringComparison.Ordinal);
        }
        finally
        {
            // The kinds stay: other tests use them.
            await kubectl.RunAsync("delete", "namespace", System, "--timeout=30s");
            await kubectl.RunAsync("delete", "clusterrole,clusterrolebinding", "graft-operator");
        }
    }
}
