using Graft.LocalCluster.Kubelet;
using Graft.LocalCluster.Kubelet.Containers;
using Graft.LocalCluster.Kubelet.Mounts;
using Graft.LocalCluster.Kubelet.Probes;
using Graft.LocalCluster.Kubelet.Status;
using Graft.LocalCluster.Kubelet.Volumes;
using Graft.LocalCluster.Network;
using k8s.Models;

namespace Graft.LocalCluster.Tests.Kubelet;

public sealed class KubeletRuleTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("$(A)/$(B)", "1/2")]
    [InlineData("$$(A) $$", "$(A) $")]
    [InlineData("$(C) $A ${A} $(A", "$(C) $A ${A} $(A")]
    [InlineData("end$", "end$")]
    public void Variables_expand_as_on_a_cluster(string text, string expected) =>
        Assert.Equal(expected, VariableExpansion.Expand(text, new Dictionary<string, string> { ["A"] = "1", ["B"] = "2" }));

    // Each container as state[/lastExitCode]: w(aiting), r(unning), or the exit code.
    [Theory]
    [InlineData("Never", "", "w", "Pending")]
    [InlineData("Never", "", "r", "Running")]
    [InlineData("Never", "", "r 1", "Running")]
    [InlineData("Never", "", "0 0", "Succeeded")]
    [InlineData("Never", "", "0 1", "Failed")]
    [InlineData("OnFailure", "", "1", "Running")]
    [InlineData("OnFailure", "", "0", "Succeeded")]
    [InlineData("Always", "", "0", "Running")]
    [InlineData("Always", "", "w/1", "Running")]
    [InlineData("Always", "", "w/1 w", "Pending")]
    [InlineData("Never", "1", "w", "Failed")]
    [InlineData("OnFailure", "1", "w", "Pending")]
    [InlineData("Never", "0 r", "w", "Pending")]
    [InlineData("Never", "1", "0", "Failed")]
    public void The_phase_follows_from_the_containers(string policy, string inits, string containers, string phase) =>
        Assert.Equal(phase, PodStatusDecision.Phase(policy, Statuses(inits), Statuses(containers)));

    // Sidecars are init containers named s0, s1...: one that has ended says nothing about the pod.
    [Theory]
    [InlineData("Never", false, "w", "Pending")]
    [InlineData("Never", true, "w", "Pending")]
    [InlineData("Never", true, "r", "Running")]
    [InlineData("Never", true, "0", "Succeeded")]
    [InlineData("Never", true, "1", "Failed")]
    public void Sidecars_count_until_they_have_started(string policy, bool started, string containers, string phase)
    {
        var sidecar = new V1ContainerStatus
        {
            Name = "s0", Started = started,
            State = new V1ContainerState { Terminated = started ? new V1ContainerStateTerminated { ExitCode = 1 } : null },
        };
        Assert.Equal(phase, PodStatusDecision.Phase(policy, [sidecar], Statuses(containers), new HashSet<string> { "s0" }));
    }

    [Theory]
    [InlineData(null, "False ReadinessGatesNotReady corresponding condition of pod readiness gate \"g\" does not exist.")]
    [InlineData("False", "False ReadinessGatesNotReady the status of pod readiness gate \"g\" is not \"True\", but False")]
    [InlineData("True", "True  ")]
    public void Readiness_gates_are_asked_when_the_containers_are_ready(string? gate, string ready)
    {
        var pod = new V1Pod
        {
            Metadata = new V1ObjectMeta { Name = "p" }, Spec = new V1PodSpec { ReadinessGates = [new V1PodReadinessGate { ConditionType = "g" }] },
            Status = new V1PodStatus { Conditions = gate is null ? [] : [new V1PodCondition { Type = "g", Status = gate }] },
        };
        var status = PodStatusDecision.Decide(new PodFacts(pod, null, [], Statuses("r"), "127.2.0.1", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch));
        var condition = status.Conditions.Single(c => c.Type == "Ready");
        Assert.Equal(ready, $"{condition.Status} {condition.Reason} {condition.Message}");
        Assert.Equal("True", status.Conditions.Single(c => c.Type == "ContainersReady").Status);
    }

    [Fact]
    public void A_service_is_known_by_its_variables_and_the_api_server_too()
    {
        var service = new V1Service
        {
            Metadata = new V1ObjectMeta { Name = "my-db" },
            Spec = new V1ServiceSpec { ClusterIP = "127.9.128.1", Ports = [new V1ServicePort { Name = "sql", Port = 5432 }] },
        };
        var headless = new V1Service { Metadata = new V1ObjectMeta { Name = "h" }, Spec = new V1ServiceSpec { ClusterIP = "None", Ports = [new V1ServicePort { Port = 1 }] } };
        var variables = ServiceVariables.Of(new Uri("https://127.0.0.1:6443/"), [service, headless]);
        Assert.Equal(("127.9.128.1", "5432", "5432"), (variables["MY_DB_SERVICE_HOST"], variables["MY_DB_SERVICE_PORT"], variables["MY_DB_SERVICE_PORT_SQL"]));
        Assert.Equal("tcp://127.9.128.1:5432", variables["MY_DB_PORT_5432_TCP"]);
        Assert.Equal(("127.0.0.1", "6443"), (variables["KUBERNETES_SERVICE_HOST"], variables["KUBERNETES_SERVICE_PORT"]));
        Assert.DoesNotContain("H_SERVICE_HOST", variables.Keys);
    }

    [Fact]
    public void A_container_that_ran_before_this_kubelet_is_one_that_nobody_knows_the_end_of()
    {
        var now = DateTimeOffset.UnixEpoch;
        Assert.Null(ContainerStates.Found(new V1ContainerStatus { Name = "c", State = ContainerStates.Waiting("ContainerCreating") }, now));
        var found = ContainerStates.Found(
            new V1ContainerStatus { Name = "c", ContainerID = "process://x", RestartCount = 2, State = ContainerStates.Running(now) }, now)!;
        Assert.Equal((137, "ContainerStatusUnknown", 2), (found.State.Terminated.ExitCode, found.State.Terminated.Reason, found.RestartCount));
    }

    [Fact]
    public void A_later_wish_shortens_the_grace_and_never_lengthens_it()
    {
        using var stop = new StopRequest(TimeProvider.System);
        stop.Request(TimeSpan.FromMinutes(1));
        stop.Request(TimeSpan.FromMinutes(5));
        Assert.True(stop.IsRequested && stop.Remaining <= TimeSpan.FromMinutes(1) && !stop.Kill.IsCancellationRequested);
        stop.Request(TimeSpan.Zero);
        Assert.True(stop.Kill.IsCancellationRequested);
    }

    [Fact]
    public void A_condition_keeps_its_time_until_it_changes()
    {
        var start = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var pod = new V1Pod { Metadata = new V1ObjectMeta { Name = "p" }, Spec = new V1PodSpec() };
        var first = PodStatusDecision.Decide(new PodFacts(pod, null, [], Statuses("w"), "127.2.0.1", start, start));
        var second = PodStatusDecision.Decide(new PodFacts(pod, first, [], Statuses("r"), "127.2.0.1", start, start.AddSeconds(5)));
        Assert.Equal(start.UtcDateTime, second.Conditions.Single(c => c.Type == "Initialized").LastTransitionTime);
        Assert.Equal(("False", "ContainersNotReady"), (first.Conditions.Single(c => c.Type == "Ready").Status, first.Conditions.Single(c => c.Type == "Ready").Reason));
        var third = PodStatusDecision.Decide(new PodFacts(pod, second, [], Statuses("w"), "127.2.0.1", start, start, Stage: PodStage.Over));
        Assert.Equal("Failed", third.Phase);
    }

    [Fact]
    public void A_probe_needs_its_thresholds_in_a_row()
    {
        var counter = new ProbeCounter(new V1Probe { SuccessThreshold = 2, FailureThreshold = 3 }, startsAs: false);
        Assert.False(counter.Healthy);
        counter.Count(true);
        Assert.False(counter.Healthy);
        counter.Count(true);
        Assert.True(counter.Healthy);
        counter.Count(false);
        counter.Count(false);
        Assert.True(counter.Healthy);
        counter.Count(false);
        Assert.False(counter.Healthy);
    }

    [Fact]
    public void The_pause_before_a_restart_doubles_up_to_its_limit_and_is_forgotten_after_a_good_run()
    {
        var pause = new RestartPause(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30));
        Assert.Equal([0, 10, 20, 30, 30], Enumerable.Range(0, 5).Select(_ => pause.Next(TimeSpan.Zero).TotalSeconds));
        Assert.Equal(TimeSpan.Zero, pause.Next(TimeSpan.FromMinutes(10)));
    }

    [Theory]
    [InlineData("/abs")]
    [InlineData("a/../../b")]
    [InlineData("link/x")]
    public void A_sub_path_cannot_leave_its_volume(string subPath)
    {
        using var folder = new TemporaryFolder();
        var volume = folder.Sub("volume");
        Directory.CreateSymbolicLink(Path.Combine(volume, "link"), folder.Path);
        var folders = new HostFolders([folder.Path], new HostTree());
        Assert.True(Assert.Throws<VolumeException>(() => folders.Inside(volume, subPath)).IsFinal);
        Assert.Equal(Path.Combine(volume, "a", "b"), folders.Inside(volume, "a/b"));
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("/etc/x")]
    public void A_key_cannot_be_written_outside_its_volume(string path)
    {
        var files = new Dictionary<string, byte[]> { ["k"] = [1] };
        var into = new Dictionary<string, VolumeFile>();
        Assert.Throws<VolumeException>(() => KeyFiles.Add(into, files, [new V1KeyToPath { Key = "k", Path = path }], null, false, "configmap"));
        Assert.Empty(into);
    }

    [Fact]
    public void A_volume_changes_at_once_and_only_when_something_changed()
    {
        using var folder = new TemporaryFolder();
        var volume = Path.Combine(folder.Path, "v");
        Dictionary<string, VolumeFile> Files(string text) => new() { ["a"] = new([1], 0b110_000_000), ["deep/b"] = new(System.Text.Encoding.UTF8.GetBytes(text), null) };
        Assert.True(AtomicFolder.Write(volume, Files("one"), DateTimeOffset.UnixEpoch));
        Assert.Equal("one", File.ReadAllText(Path.Combine(volume, "deep", "b")));
        Assert.Equal("..data/a", new FileInfo(Path.Combine(volume, "a")).LinkTarget);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, new FileInfo(Path.Combine(volume, "..data", "a")).UnixFileMode);
        var first = new DirectoryInfo(Path.Combine(volume, "..data")).LinkTarget;
        Assert.False(AtomicFolder.Write(volume, Files("one"), DateTimeOffset.UnixEpoch));
        Assert.True(AtomicFolder.Write(volume, Files("two"), DateTimeOffset.UnixEpoch));
        Assert.NotEqual(first, new DirectoryInfo(Path.Combine(volume, "..data")).LinkTarget);
        Assert.Equal("two", File.ReadAllText(Path.Combine(volume, "deep", "b")));
        Assert.False(Directory.Exists(Path.Combine(volume, first!)));
        AtomicFolder.Write(volume, new Dictionary<string, VolumeFile> { ["a"] = new([1], null) }, DateTimeOffset.UnixEpoch);
        Assert.False(Path.Exists(Path.Combine(volume, "deep")));
    }

    [Fact]
    public void Several_mounts_below_one_known_path_meet_in_a_folder_of_links()
    {
        using var folder = new TemporaryFolder();
        var (a, b) = (folder.Sub("a"), folder.Sub("b"));
        PathVariable[] variables = [new("/graft/claims", "CLAIMS"), new("/graft/output", "OUTPUT")];
        var result = PathVariables.For([new("/graft/claims/one", a), new("/graft/claims/two", b), new("/graft/output", b)], variables, folder.Path);
        Assert.Equal(b, result["OUTPUT"]);
        Assert.Equal(a, Directory.ResolveLinkTarget(Path.Combine(result["CLAIMS"], "one"), false)!.FullName);
        Assert.Throws<VolumeException>(() => PathVariables.For([new("/elsewhere", a)], variables, folder.Path));
    }

    [Fact]
    public void Two_clusters_never_share_a_block_of_addresses()
    {
        using var folder = new TemporaryFolder();
        using var first = LoopbackBlock.Claim(folder.Path, 7);
        using (var second = LoopbackBlock.Claim(folder.Path, 7)) Assert.Equal(first.Second + 1, second.Second);
        using var third = LoopbackBlock.Claim(folder.Path, 7);
        Assert.Equal(first.Second + 1, third.Second);
        var addresses = Enumerable.Range(0, LoopbackBlock.Addresses).SelectMany(n => new[] { first.Pod(n), first.Service(n) }).ToHashSet();
        Assert.Equal(2 * LoopbackBlock.Addresses, addresses.Count);
        Assert.All(addresses, a => Assert.NotEqual(255, a.GetAddressBytes()[3]));
    }

    private static List<V1ContainerStatus> Statuses(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select((word, i) =>
    {
        var parts = word.Split('/');
        V1ContainerState Ended(string code) => new() { Terminated = new V1ContainerStateTerminated { ExitCode = int.Parse(code, System.Globalization.CultureInfo.InvariantCulture) } };
        return new V1ContainerStatus
        {
            Name = $"c{i}",
            Ready = parts[0] == "r",
            State = parts[0] switch
            {
                "w" => new V1ContainerState { Waiting = new V1ContainerStateWaiting() },
                "r" => new V1ContainerState { Running = new V1ContainerStateRunning() },
                var code => Ended(code),
            },
            LastState = parts.Length > 1 ? Ended(parts[1]) : null,
        };
    })];
}
