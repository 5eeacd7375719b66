using System.Diagnostics;
using System.Globalization;
using Graft.LocalCluster.Kubelet.Processes;
using Graft.LocalCluster.Tests.Kubelet;

namespace Graft.LocalCluster.Tests.EndToEnd;

public sealed class LeftoverTests
{
    [Fact]
    public async Task Stopping_the_cluster_ends_pods_politely_and_leaves_no_process()
    {
        var cluster = await PodCluster.StartAsync();
        var allowed = cluster.Allowed;
        await using var second = cluster;
        var pod = await cluster.RunAsync($"trap 'echo bye > {allowed}/bye; exit 0' TERM; echo $$$$ > {allowed}/pid; while :; do sleep 0.05; done");
        await PodCluster.UntilAsync(() => File.Exists(Path.Combine(allowed, "pid")) && File.ReadAllText(Path.Combine(allowed, "pid")).EndsWith('\n'), "the pod must start");
        var group = int.Parse(await File.ReadAllTextAsync(Path.Combine(allowed, "pid")), CultureInfo.InvariantCulture);
        Assert.True(Signals.GroupExists(group), pod.Metadata.Name);
        await cluster.Cluster.DisposeAsync();
        Assert.True(File.Exists(Path.Combine(allowed, "bye")));
        await PodCluster.UntilAsync(() => !IsAlive(group), "the pod must be gone");
    }

    /// <summary>
    /// The host of a cluster that is killed without a chance to do anything. A child of the same kind as a real one: the test
    /// program itself cannot be killed, so a shell stands for it, which starts the guardian's script and the chain of programs.
    /// </summary>
    [SkippableTheory, InlineData(Isolation.MountNamespace), InlineData(Isolation.UserNamespace), InlineData(Isolation.Variables)]
    public async Task A_killed_parent_takes_its_children_with_it(Isolation way)
    {
        using var folder = new TemporaryFolder();
        using var starter = new ProcessStarter();
        Skip.If(way != Isolation.Variables && !await IsolationProbe.WorksAsync(way, starter, folder.Path, default), $"{way} does not work here");
        var script = folder.Write("child.sh", $"echo $$ > '{folder.Path}/pid'; exec sleep 1000");
        var chain = Launch.Info(way, script);
        // In the foreground of the shell, the chain is its child, as it is ours otherwise.
        var line = $"{chain.FileName} {string.Join(' ', chain.ArgumentList.Select(a => $"'{a}'"))} & wait";
        using var parent = await starter.StartAsync(new ProcessStartInfo("/bin/sh", ["-c", line]));
        await PodCluster.UntilAsync(() => File.Exists(Path.Combine(folder.Path, "pid")) && File.ReadAllText(Path.Combine(folder.Path, "pid")).EndsWith('\n'), "the child must start");
        var child = int.Parse(await File.ReadAllTextAsync(Path.Combine(folder.Path, "pid")), CultureInfo.InvariantCulture);
        Assert.True(IsAlive(child));
        parent.Kill();
        await PodCluster.UntilAsync(() => !IsAlive(child), "the child must be gone");
    }

    [Fact]
    public async Task The_guardian_kills_what_the_first_process_of_a_container_started()
    {
        using var starter = new ProcessStarter();
        var guardian = await Guardian.StartAsync(starter);
        using var leader = await starter.StartAsync(new ProcessStartInfo("setsid", ["/bin/sh", "-c", "sleep 1000 & sleep 1000"]));
        guardian.Add(leader.Id);
        await guardian.DisposeAsync();
        await leader.WaitForExitAsync();
        await PodCluster.UntilAsync(() => !AnyAlive(leader.Id), "the group must be gone");
    }

    private static bool AnyAlive(int group) => Directory.EnumerateDirectories("/proc").Where(d => char.IsAsciiDigit(Path.GetFileName(d)[0]))
        .Any(d => Stat(Path.GetFileName(d)) is { } fields && fields[2] == group.ToString(CultureInfo.InvariantCulture) && fields[0] != "Z");

    /// <summary>A process that ended but whose parent has not looked yet (a zombie) is not alive.</summary>
    private static bool IsAlive(int pid) => Stat(pid.ToString(CultureInfo.InvariantCulture)) is { } fields && fields[0] is not ("Z" or "X");

    private static string[]? Stat(string pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ', 4);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
