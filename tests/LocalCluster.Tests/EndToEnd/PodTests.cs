using Graft.LocalCluster.Kubelet.Processes;
using k8s.Models;

namespace Graft.LocalCluster.Tests.EndToEnd;

public sealed class PodTests(PodClusterFixture fixture) : IClassFixture<PodClusterFixture>
{
    private readonly PodCluster _cluster = fixture.Cluster;

    [Fact]
    public async Task Volumes_of_every_kind_appear_in_the_container()
    {
        var ns = "default";
        var (map, secret, claim) = (_cluster.Name("map"), _cluster.Name("secret"), _cluster.Name("claim"));
        await _cluster.Client.CreateAsync(new V1ConfigMap { Metadata = new V1ObjectMeta { Name = map, NamespaceProperty = ns }, Data = new Dictionary<string, string> { ["job.json"] = "{}" } });
        await _cluster.Client.CreateAsync(new V1Secret { Metadata = new V1ObjectMeta { Name = secret, NamespaceProperty = ns }, Data = new Dictionary<string, byte[]> { ["token"] = "s3"u8.ToArray() } });
        await _cluster.Client.CreateAsync(Claim(claim));
        await File.WriteAllTextAsync(Path.Combine(_cluster.Allowed, "base"), "weights");
        const string Script = """
            set -e
            cat /graft/job/job.json /graft/secret/token /graft/files/0/base; echo
            echo out > /graft/output/result; touch /graft/scratch/x
            touch /graft/files/0/no 2>/dev/null && exit 9
            echo $WORD-$NAME-$CPU $(cat /graft/info/labels)
            test -w "$TMPDIR"
            """;
        var pod = await _cluster.RunToEndAsync(Script, p =>
        {
            p.Metadata.Labels = new Dictionary<string, string> { ["app"] = "x" };
            p.Spec.Volumes =
            [
                new V1Volume { Name = "job", ConfigMap = new V1ConfigMapVolumeSource { Name = map } },
                new V1Volume { Name = "secret", Secret = new V1SecretVolumeSource { SecretName = secret } },
                new V1Volume { Name = "files", HostPath = new V1HostPathVolumeSource { Path = _cluster.Allowed, Type = "Directory" } },
                new V1Volume { Name = "output", PersistentVolumeClaim = new V1PersistentVolumeClaimVolumeSource { ClaimName = claim } },
                new V1Volume { Name = "scratch", EmptyDir = new V1EmptyDirVolumeSource() },
                new V1Volume
                {
                    Name = "info", DownwardAPI = new V1DownwardAPIVolumeSource
                    {
                        Items = [new V1DownwardAPIVolumeFile { Path = "labels", FieldRef = new V1ObjectFieldSelector { FieldPath = "metadata.labels" } }],
                    },
                },
            ];
            var container = p.Spec.Containers[0];
            container.VolumeMounts =
            [
                Mount("job", "/graft/job"), Mount("secret", "/graft/secret"), Mount("files", "/graft/files/0", readOnly: true),
                Mount("output", "/graft/output"), Mount("scratch", "/graft/scratch"), Mount("info", "/graft/info"),
            ];
            container.Resources = new V1ResourceRequirements { Limits = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("1500m") } };
            container.Env.Add(new V1EnvVar { Name = "WORD", ValueFrom = new V1EnvVarSource { ConfigMapKeyRef = new V1ConfigMapKeySelector { Name = map, Key = "job.json" } } });
            container.Env.Add(new V1EnvVar { Name = "NAME", Value = "$(POD_IP)/$$(POD_IP)" });
            container.Env.Add(new V1EnvVar { Name = "CPU", ValueFrom = new V1EnvVarSource { ResourceFieldRef = new V1ResourceFieldSelector { Resource = "limits.cpu" } } });
        });
        var log = await _cluster.LogAsync(pod.Metadata.Name);
        Assert.True(pod.Status.Phase == "Succeeded", log);
        Assert.Equal($"{{}}s3weights\n{{}}-{pod.Status.PodIP}/$(POD_IP)-2 app=\"x\"\n", log);
        Assert.Equal("out\n", await File.ReadAllTextAsync(Path.Combine(_cluster.State, "volumes", ns, claim, "result")));
        Assert.Equal("Bound", (await _cluster.Client.GetAsync<V1PersistentVolumeClaim>(claim, ns))!.Status.Phase);
    }

    [Fact]
    public async Task A_claim_that_is_bound_to_a_folder_shows_it()
    {
        using var folder = new Kubelet.TemporaryFolder();
        folder.Write("here", "mine");
        await using var cluster = await PodCluster.StartAsync(claims: new Dictionary<string, string> { ["data"] = folder.Path });
        await cluster.Client.CreateAsync(Claim("data"));
        var pod = await cluster.RunToEndAsync("cat /graft/output/here", p => WithVolume(p, new V1Volume
        {
            Name = "v", PersistentVolumeClaim = new V1PersistentVolumeClaimVolumeSource { ClaimName = "data" },
        }));
        Assert.Equal("mine\n", await cluster.LogAsync(pod.Metadata.Name));
        // A pod that uses the claim holds it, also after its end.
        await cluster.Client.DeleteAsync(pod);
        await cluster.Client.Resource<V1PersistentVolumeClaim>().DeleteAsync("data", "default");
        await cluster.UntilAsync<V1PersistentVolumeClaim>("data", c => c is null);
        Assert.True(File.Exists(Path.Combine(folder.Path, "here")));
    }

    [Theory, InlineData(""), InlineData("/.."), InlineData("/link")]
    public async Task A_host_path_outside_the_allowed_folders_fails_the_pod_and_says_so(string how)
    {
        var path = how switch
        {
            "" => _cluster.Forbidden,
            "/.." => _cluster.Allowed + "/../forbidden",
            _ => Link(),
        };
        Assert.True(Directory.Exists(_cluster.Forbidden));
        var pod = await _cluster.RunToEndAsync("echo never", p => WithVolume(p, new V1Volume { Name = "v", HostPath = new V1HostPathVolumeSource { Path = path } }));
        Assert.Equal(("Failed", "FailedMount"), (pod.Status.Phase, pod.Status.Reason));
        Assert.Contains("outside the folders that pods of this machine may see", pod.Status.Message, StringComparison.Ordinal);
        await _cluster.UntilEventAsync(pod.Metadata.Name, "FailedMount", "hostPath");

        string Link()
        {
            var link = Path.Combine(_cluster.Allowed, _cluster.Name("link"));
            Directory.CreateSymbolicLink(link, _cluster.Forbidden);
            return link;
        }
    }

    [Fact]
    public async Task An_unknown_image_cannot_be_pulled_and_the_pod_says_which_there_are()
    {
        var pod = await _cluster.RunAsync("echo", p => p.Spec.Containers[0].Image = "nginx:1.27");
        pod = await _cluster.UntilAsync<V1Pod>(pod.Metadata.Name, p => p?.Status?.ContainerStatuses?[0].State.Waiting?.Reason is "ErrImagePull" or "ImagePullBackOff");
        Assert.Contains(PodCluster.Shell, pod.Status.ContainerStatuses[0].State.Waiting.Message, StringComparison.Ordinal);
        Assert.Equal("Pending", pod.Status.Phase);
        await _cluster.UntilEventAsync(pod.Metadata.Name, "Failed", "nginx:1.27");
        await _cluster.Client.DeleteAsync(pod);
        await _cluster.UntilAsync<V1Pod>(pod.Metadata.Name, p => p is null);
    }

    [Fact]
    public async Task A_pod_that_no_node_fits_stays_pending_with_the_schedulers_message()
    {
        var pod = await _cluster.RunAsync("echo", p => p.Spec.NodeSelector = new Dictionary<string, string> { ["disk"] = "fast" });
        pod = await _cluster.UntilAsync<V1Pod>(pod.Metadata.Name, p => p?.Status?.Conditions?.Any(c => c.Type == "PodScheduled") == true);
        var condition = pod.Status.Conditions.Single(c => c.Type == "PodScheduled");
        Assert.Equal(("False", "Unschedulable"), (condition.Status, condition.Reason));
        Assert.Contains("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector", condition.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_crashing_container_is_restarted_with_back_off()
    {
        var pod = await _cluster.RunAsync("exit 4", p => p.Spec.RestartPolicy = "Always");
        pod = await _cluster.UntilAsync<V1Pod>(pod.Metadata.Name, p => p?.Status?.ContainerStatuses?[0] is { RestartCount: >= 2, State.Waiting.Reason: "CrashLoopBackOff" });
        Assert.Equal(4, pod.Status.ContainerStatuses[0].LastState.Terminated.ExitCode);
        Assert.Equal("Running", pod.Status.Phase);
        await _cluster.Client.DeleteAsync(pod);
        await _cluster.UntilAsync<V1Pod>(pod.Metadata.Name, p => p is null);
    }

    [Fact]
    public async Task Init_containers_run_first_one_after_the_other()
    {
        var pod = await _cluster.RunToEndAsync("cat /graft/output/log", p =>
        {
            WithVolume(p, new V1Volume { Name = "v", EmptyDir = new V1EmptyDirVolumeSource() });
            var mounts = p.Spec.Containers[0].VolumeMounts;
            p.Spec.InitContainers =
            [
                PodCluster.Container("echo one >> /graft/output/log", "first"), PodCluster.Container("echo two >> /graft/output/log", "second"),
            ];
            foreach (var init in p.Spec.InitContainers) init.VolumeMounts = mounts;
        });
        Assert.Equal("one\ntwo\n", await _cluster.LogAsync(pod.Metadata.Name));
        Assert.All(pod.Status.InitContainerStatuses, s => Assert.Equal("Completed", s.State.Terminated.Reason));
    }

    [Fact]
    public async Task A_failure_without_a_message_takes_the_end_of_the_log()
    {
        var pod = await _cluster.RunToEndAsync("echo first; echo last words >&2; exit 3", p => p.Spec.Containers[0].TerminationMessagePolicy = "FallbackToLogsOnError");
        var ended = pod.Status.ContainerStatuses[0].State.Terminated;
        Assert.Equal((3, "Error"), (ended.ExitCode, ended.Reason));
        Assert.Contains("last words", ended.Message, StringComparison.Ordinal);
        Assert.Equal("Failed", pod.Status.Phase);
    }

    [Fact]
    public async Task Readiness_follows_its_probe_and_deletion_gives_the_grace_period()
    {
        var pod = await _cluster.RunAsync("trap 'echo bye > /graft/output/bye; exit 0' TERM; touch /graft/output/up; while :; do sleep 0.05; done", p =>
        {
            WithVolume(p, new V1Volume { Name = "v", HostPath = new V1HostPathVolumeSource { Path = _cluster.Allowed } });
            p.Spec.Containers[0].ReadinessProbe = new V1Probe { PeriodSeconds = 1, FailureThreshold = 1, Exec = new V1ExecAction { Command = ["test", "-f", "/graft/output/ready"] } };
        });
        await _cluster.UntilEventAsync(pod.Metadata.Name, "Unhealthy", "Readiness probe failed");
        Assert.False((await _cluster.Client.GetAsync<V1Pod>(pod.Metadata.Name, "default"))!.Status.ContainerStatuses[0].Ready);
        await File.WriteAllTextAsync(Path.Combine(_cluster.Allowed, "ready"), "");
        await _cluster.UntilAsync<V1Pod>(pod.Metadata.Name, p => p!.Status.Conditions.Any(c => c.Type == "Ready" && c.Status == "True"));
        await _cluster.Client.DeleteAsync(pod);
        await _cluster.UntilAsync<V1Pod>(pod.Metadata.Name, p => p is null);
        Assert.Equal("bye\n", await File.ReadAllTextAsync(Path.Combine(_cluster.Allowed, "bye")));
        Assert.False(Directory.Exists(Path.Combine(_cluster.State, "pods", pod.Metadata.Uid)));
    }

    [Fact]
    public async Task A_liveness_probe_that_fails_restarts_the_container()
    {
        var pod = await _cluster.RunAsync("trap 'exit 0' TERM; while :; do sleep 0.05; done", p =>
        {
            p.Spec.RestartPolicy = "Always";
            p.Spec.Containers[0].LivenessProbe = new V1Probe { PeriodSeconds = 1, FailureThreshold = 1, TcpSocket = new V1TCPSocketAction { Port = 9 } };
        });
        await _cluster.UntilAsync<V1Pod>(pod.Metadata.Name, p => p?.Status?.ContainerStatuses?[0].RestartCount >= 1);
        await _cluster.UntilEventAsync(pod.Metadata.Name, "Killing", "failed liveness probe");
        await _cluster.Client.DeleteAsync(pod);
    }

    [SkippableTheory, InlineData(Isolation.MountNamespace), InlineData(Isolation.UserNamespace), InlineData(Isolation.Variables)]
    public async Task A_termination_message_and_a_volume_come_through_in_every_way_of_mounting(Isolation way)
    {
        PodCluster cluster;
        try
        {
            cluster = await PodCluster.StartAsync(way);
        }
        catch (NotSupportedException e)
        {
            throw new SkipException(e.Message);
        }
        await using (cluster)
        {
            const string Script = "echo done > ${GRAFT_TERMINATION_LOG:-/dev/termination-log}; echo data > ${GRAFT_OUTPUT_DIR:-/graft/output}/file";
            var pod = await cluster.RunToEndAsync(Script, p => WithVolume(p, new V1Volume { Name = "v", HostPath = new V1HostPathVolumeSource { Path = cluster.Allowed } }));
            Assert.Equal("done\n", pod.Status.ContainerStatuses[0].State.Terminated.Message);
            Assert.Equal("data\n", await File.ReadAllTextAsync(Path.Combine(cluster.Allowed, "file")));
            Assert.Equal(way, cluster.Cluster.Isolation);
        }
    }

    private static V1PersistentVolumeClaim Claim(string name) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "default" },
        Spec = new V1PersistentVolumeClaimSpec
        {
            AccessModes = ["ReadWriteOnce"],
            Resources = new V1VolumeResourceRequirements { Requests = new Dictionary<string, ResourceQuantity> { ["storage"] = new("1Gi") } },
        },
    };

    private static V1VolumeMount Mount(string name, string path, bool readOnly = false) => new() { Name = name, MountPath = path, ReadOnlyProperty = readOnly };

    private static void WithVolume(V1Pod pod, V1Volume volume)
    {
        pod.Spec.Volumes = [volume];
        pod.Spec.Containers[0].VolumeMounts = [Mount(volume.Name, "/graft/output")];
    }
}
