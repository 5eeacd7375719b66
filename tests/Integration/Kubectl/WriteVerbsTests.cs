using Graft.Integration.Harness;

namespace Graft.Integration.Kubectl;

/// <summary>The verbs by which people change objects, each in its forms.</summary>
public abstract class WriteVerbsTests(Cluster cluster) : ClusterTests(cluster)
{
    private const string Two = """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: first, labels: {set: pruned}}
        data: {a: b}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: second, labels: {set: pruned}}
        data: {a: b}
        """;

    private static readonly string One = Two.Split("---")[0];

    // What is made by a verb of its own, which kubectl sends in a form of its own; a field of it, and what stands there.
    private static readonly (string[] Create, string Path, string Field, string Value)[] Made =
    [
        (["configmap", "c", "--from-literal=a=b"], "configmap/c", "{.data.a}", "b"),
        (["secret", "generic", "s", "--from-literal=a=b"], "secret/s", "{.data.a}", "Yg=="),
        (["serviceaccount", "sa"], "serviceaccount/sa", "{.metadata.name}", "sa"),
        (["role", "r", "--verb=get,list", "--resource=pods"], "role/r", "{.rules[0].verbs}", "[\"get\",\"list\"]"),
        (["rolebinding", "rb", "--role=r", "--serviceaccount=a:sa"], "rolebinding/rb", "{.subjects[0].namespace}/{.roleRef.name}", "a/r"),
        (["service", "clusterip", "svc", "--tcp=80:8080"], "service/svc", "{.spec.ports[0].port}:{.spec.ports[0].targetPort}", "80:8080"),
        (["service", "clusterip", "none", "--clusterip=None"], "service/none", "{.spec.clusterIP}", "None"),
    ];

    public static TheoryData<string> Versions => KubectlProgram.Versions;

    private KubectlProgram Of(string version) => KubectlProgram.Of(version, Api.Kubeconfig, Space.Name);

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task What_is_no_longer_in_the_files_is_pruned(string version)
    {
        using var kubectl = Of(version);
        var (two, one) = (kubectl.File(Two), kubectl.File(One));

        // Without a list of kinds kubectl looks through those that it knows itself.
        await kubectl.RunAsync("apply", "-f", two, "--prune", "-l", "set=pruned");
        Assert.Contains("configmap/second pruned", await kubectl.RunAsync("apply", "-f", one, "--prune", "-l", "set=pruned"), StringComparison.Ordinal);

        string[] named = ["--prune", "-l", "set=pruned", "--prune-allowlist=core/v1/ConfigMap"];
        await kubectl.RunAsync(["apply", "-f", two, .. named]);
        Assert.Contains("configmap/second pruned", await kubectl.RunAsync(["apply", "-f", one, .. named]), StringComparison.Ordinal);

        await kubectl.RunAsync("delete", "configmap", "-l", "set=pruned");
        await kubectl.ApplySetAsync("apply", "-f", two, "--prune", "--applyset=parts");
        Assert.Contains("configmap/second pruned", await kubectl.ApplySetAsync("apply", "-f", one, "--prune", "--applyset=parts"),
            StringComparison.Ordinal);
    }

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task Objects_are_made_by_verbs_of_their_own(string version)
    {
        using var kubectl = Of(version);

        foreach (var (create, path, field, value) in Made)
        {
            await kubectl.RunAsync(["create", .. create]);
            Assert.Equal(value, await kubectl.FieldsAsync(path, field));
        }
        await kubectl.RunAsync("create", "deployment", "d", "--image=graft.invalid/none:1", "--replicas=0", "--port=80", "--dry-run=server");
        await kubectl.RunAsync("create", "job", "j", "--image=graft.invalid/none:1", "--dry-run=server", "--", "/bin/true");
        await kubectl.RunAsync("create", "clusterrole", $"{Space.Name}-c", "--verb=get", "--resource=nodes", "--dry-run=server");
        await kubectl.RunAsync("create", "clusterrolebinding", $"{Space.Name}-b", "--clusterrole=view", "--user=none", "--dry-run=server");
        await kubectl.RunAsync("create", "namespace", $"{Space.Name}-n", "--dry-run=server");
    }

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task An_object_is_applied_compared_patched_edited_and_replaced(string version)
    {
        using var kubectl = Of(version);
        var manifest = kubectl.File(One);

        Assert.Contains("created (server dry run)", await kubectl.RunAsync("apply", "--dry-run=server", "-f", manifest), StringComparison.Ordinal);
        await using (var difference = await kubectl.TryAsync("diff", "-f", manifest))
            Assert.Equal(1, difference.ExitCode);
        await kubectl.RunAsync("create", "-f", manifest, "--save-config");
        Assert.Equal("", await kubectl.RunAsync("diff", "-f", manifest));
        await using (var twice = await kubectl.TryAsync("create", "-f", manifest))
            Assert.Contains("(AlreadyExists)", twice.Output, StringComparison.Ordinal);

        await kubectl.RunAsync("patch", "cm", "first", "-p", """{"data":{"z":"1"}}""");
        await kubectl.RunAsync("patch", "cm", "first", "--type=merge", "-p", """{"data":{"z":"2"}}""");
        await kubectl.RunAsync("patch", "cm", "first", "--type=json", "-p", """[{"op":"replace","path":"/data/z","value":"3"}]""");
        Assert.Equal("3", await kubectl.FieldsAsync("cm/first", "{.data.z}"));
        await kubectl.RunAsync("label", "cm", "first", "x=y");
        await kubectl.RunAsync("label", "cm", "first", "x=z", "--overwrite");
        await kubectl.RunAsync("annotate", "cm", "first", "note=kept");
        Assert.Matches(@"first\s+2\s+\S+\s+set=pruned,x=z", await kubectl.RunAsync("get", "cm", "first", "--show-labels"));
        await kubectl.EditAsync("s/z: \"3\"/z: \"4\"/", "cm", "first");
        Assert.Equal("4", await kubectl.FieldsAsync("cm/first", "{.data.z}"));
        await kubectl.RunAsync("replace", "-f", manifest);
        Assert.Equal("", await kubectl.FieldsAsync("cm/first", "{.data.z}"));
        await kubectl.RunAsync("replace", "--force", "-f", manifest);
        Assert.Contains("deleted (server dry run)", await kubectl.RunAsync("delete", "cm", "first", "--dry-run=server"), StringComparison.Ordinal);
        await kubectl.RunAsync("delete", "-f", manifest, "--cascade=foreground");
        await kubectl.RunAsync("wait", "--for=delete", "cm/first", "--timeout=30s");
    }

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task An_AdapterDeployment_is_scaled_and_its_rights_are_known(string version)
    {
        using var kubectl = Of(version);
        await kubectl.RunAsync("apply", "-f", kubectl.File(TestNamespace.AdapterDeployment("scaled", "nothing")));

        await kubectl.RunAsync("scale", "adp", "scaled", "--replicas=2");
        Assert.Equal("2", await kubectl.FieldsAsync("adp/scaled", "{.spec.replicas}"));
        await using (var other = await kubectl.TryAsync("scale", "adp", "scaled", "--current-replicas=7", "--replicas=3"))
            Assert.NotEqual(0, other.ExitCode);
        Assert.Equal("yes", (await kubectl.RunAsync("auth", "can-i", "create", "adapterdeployments.graft.dev")).Trim());
    }

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task The_server_says_what_it_has(string version)
    {
        using var kubectl = Of(version);

        var resources = await kubectl.RunAsync("api-resources");
        Assert.Matches(@"(?m)^finetunejobs\s+ftj\s+graft\.dev/v1alpha1\s+true\s+FineTuneJob", resources);
        Assert.Matches(@"(?m)^deployments\s+deploy\s+apps/v1\s+true\s+Deployment", resources);
        Assert.Contains("finetunejobs.graft.dev", await kubectl.RunAsync("api-resources", "--api-group=graft.dev", "-o", "name"), StringComparison.Ordinal);
        Assert.Matches(@"(?m)^jobs\s+batch/v1\s+true\s+Job\s+\S*create\S*\s+all", await kubectl.RunAsync("api-resources", "--categories=all", "-o", "wide"));
        Assert.Contains("graft.dev/v1alpha1", (await kubectl.RunAsync("api-versions")).Split('\n'));
        Assert.Matches(@"Server Version: v1\.[0-9]+\.", await kubectl.RunAsync("version"));
        Assert.Contains("[+]ping ok", await kubectl.RunAsync("get", "--raw", "/readyz?verbose"), StringComparison.Ordinal);
        Assert.Contains("https://", await kubectl.RunAsync("cluster-info"), StringComparison.Ordinal);
        Assert.Matches(@"rank\s+<integer>", await kubectl.RunAsync("explain", "ftj.spec.method", "--recursive"));
        Assert.Matches(@"containers\s+<\[\]Container>", await kubectl.RunAsync("explain", "deployment.spec.template.spec", "--api-version=apps/v1"));
        await using var unknown = await kubectl.TryAsync("get", "gadgets");
        Assert.Contains("the server doesn't have a resource type \"gadgets\"", unknown.Output, StringComparison.Ordinal);
    }
}

[Collection(OnEmbedded.Name)]
public sealed class WriteVerbsTestsOnEmbedded(EmbeddedCluster cluster) : WriteVerbsTests(cluster);

[Collection(OnForeign.Name)]
public sealed class WriteVerbsTestsOnForeign(ForeignCluster cluster) : WriteVerbsTests(cluster);
