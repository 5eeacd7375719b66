using Graft.Integration.Harness;

namespace Graft.Integration.Kubectl;

/// <summary>The verbs around running pods, and what is said of those that are not there.</summary>
[Trait("needs", "pods")]
public abstract class WorkloadVerbsTests(Cluster cluster) : ClusterTests(cluster, "pods")
{
    public static TheoryData<string> Versions => KubectlProgram.Versions;

    private string Deployment => $$$"""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, labels: {app: web}}
        spec:
          replicas: 1
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec:
              terminationGracePeriodSeconds: 1
              automountServiceAccountToken: false
              securityContext: {runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, seccompProfile: {type: RuntimeDefault} }
              containers:
              - name: main
                image: {{{Cluster.TrainerImage}}}
                command: ["/bin/sh", "-c", "echo hello; exec sleep 600"]
                securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]} }
        """;

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task A_Deployment_is_rolled_out_looked_at_changed_and_taken_back(string version)
    {
        using var kubectl = KubectlProgram.Of(version, Api.Kubeconfig, Space.Name);
        await kubectl.RunAsync("apply", "-f", kubectl.File(Deployment));
        await kubectl.RunAsync("rollout", "status", "deploy/web", "--timeout=60s");
        await kubectl.RunAsync("wait", "deploy/web", "--for=condition=Available", "--timeout=60s");
        await kubectl.RunAsync("wait", "pod", "-l", "app=web", "--for=jsonpath={.status.phase}=Running", "--timeout=60s");

        var all = await kubectl.RunAsync("get", "all");
        Assert.Matches(@"pod/web-\S+\s+1/1\s+Running", all);
        Assert.Matches(@"deployment\.apps/web\s+1/1\s+1\s+1", all);
        Assert.Matches(@"main\s+\S+\s+app=web", await kubectl.RunAsync("get", "deploy", "-o", "wide"));
        Assert.Contains("hello", await kubectl.RunAsync("logs", "deploy/web"), StringComparison.Ordinal);
        Assert.Matches(@"\[pod/web-\S+/main\] hello", await kubectl.RunAsync("logs", "-l", "app=web", "--prefix", "--tail=1"));
        Assert.Matches(@"ScalingReplicaSet\s+Deployment/web", await kubectl.RunAsync("events", "--for", "deploy/web"));
        Assert.Contains("MinimumReplicasAvailable", await kubectl.RunAsync("describe", "deploy", "web"), StringComparison.Ordinal);
        Assert.Matches(@"Ready\s+True", await kubectl.RunAsync("describe", "pod", "-l", "app=web"));

        await kubectl.RunAsync("set", "env", "deploy/web", "A=B");
        await kubectl.RunAsync("rollout", "status", "deploy/web", "--timeout=60s");
        Assert.Matches(@"(?m)^2\s", await kubectl.RunAsync("rollout", "history", "deploy/web"));
        await kubectl.RunAsync("rollout", "undo", "deploy/web");
        Assert.Equal("", await kubectl.FieldsAsync("deploy/web", "{.spec.template.spec.containers[0].env}"));
        await kubectl.RunAsync("rollout", "pause", "deploy/web");
        await kubectl.RunAsync("rollout", "resume", "deploy/web");
        await kubectl.RunAsync("rollout", "restart", "deploy/web");
        await kubectl.RunAsync("expose", "deploy", "web", "--port=80");
        Assert.Matches(@"service/web\s+ClusterIP", await kubectl.RunAsync("get", "svc,endpoints"));
        await kubectl.RunAsync("scale", "deploy", "web", "--replicas=0");
        await kubectl.RunAsync("rollout", "status", "deploy/web", "--timeout=60s");
        await kubectl.RunAsync("delete", "deploy", "web", "--cascade=foreground", "--timeout=60s");
    }
}

[Collection(OnEmbedded.Name)]
public sealed class WorkloadVerbsTestsOnEmbedded(EmbeddedCluster cluster) : WorkloadVerbsTests(cluster)
{
    private static readonly (string[] Command, string Said)[] Missing =
    [
        (["exec", "talker", "--", "true"], "exec (and so cp) is not available locally, use a shell of this machine"),
        (["cp", "talker:/etc/hosts", "/dev/null"], "exec (and so cp) is not available locally, use a shell of this machine"),
        (["attach", "talker"], "attach is not available locally, use kubectl logs -f"),
        (["port-forward", "talker", "0:80"], "port-forward is not available locally, use the address of the pod or Service itself"),
        (["debug", "talker", "--image=none"], "debug is not available locally, use a debugger of this machine"),
        (["top", "pod"], "top is not available locally, use ps or top of this machine"),
        (["top", "node"], "top is not available locally, use ps or top of this machine"),
    ];

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task What_is_not_available_says_what_to_use_instead(string version)
    {
        using var kubectl = KubectlProgram.Of(version, Api.Kubeconfig, Space.Name);
        await Space.StartScriptAsync("talker", "exec sleep 600");
        await kubectl.RunAsync("wait", "pod/talker", "--for=condition=Ready", "--timeout=60s");

        foreach (var (command, said) in Missing)
        {
            await using var run = await kubectl.TryAsync(command);
            Assert.NotEqual(0, run.ExitCode);
            Assert.True(run.Output.Contains(said, StringComparison.Ordinal), $"kubectl {string.Join(' ', command)} said: {run.Output}");
        }
        await using var unknown = await kubectl.TryAsync("apply", "-f", kubectl.File("""
            {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "everywhere"}}
            """));
        Assert.Contains("daemonsets.apps are not available locally, use a Deployment", unknown.Output, StringComparison.Ordinal);
    }
}

[Collection(OnForeign.Name)]
public sealed class WorkloadVerbsTestsOnForeign(ForeignCluster cluster) : WorkloadVerbsTests(cluster);
