using Graft.LocalCluster.Kubelet.Mounts;

namespace Graft.LocalCluster.Tests.Kubelet;

public sealed class RootPlanTests
{
    private static readonly TableTree Host = new(
        "/bin -> usr/bin", "/usr/", "/usr/bin/", "/etc/", "/etc/hosts", "/etc/ssl/", "/dev/", "/dev/null", "/dev/tty7", "/dev/fd -> /proc/self/fd",
        "/run/", "/var/", "/var/run -> /run", "/mnt/");

    [Fact]
    public void The_root_is_rebuilt_from_binds_and_links_of_the_machine()
    {
        var steps = RootPlan.Make([], Host);
        Assert.Contains(new RootStep.Link("/bin", "usr/bin"), steps);
        Assert.Contains(new RootStep.Host("/usr"), steps);
        Assert.Contains(new RootStep.Host("/dev"), steps);
        Assert.DoesNotContain(steps, s => s.Path.StartsWith("/usr/", StringComparison.Ordinal));
    }

    [Fact]
    public void A_mount_point_that_the_machine_lacks_rebuilds_the_folder_it_lies_in()
    {
        var steps = RootPlan.Make([new PodMount("/etc/app", "/state/v")], Host);
        Assert.DoesNotContain(new RootStep.Host("/etc"), steps);
        Assert.Contains(new RootStep.Host("/etc/hosts"), steps);
        Assert.Contains(new RootStep.Host("/etc/ssl"), steps);
        Assert.Equal(new RootStep.Volume("/etc/app", "/state/v", false), steps[^1]);
        Assert.Equal(new RootStep.Folder("/etc/app"), steps[^2]);
    }

    [Fact]
    public void A_mount_point_that_the_machine_has_is_bound_over_without_making_anything()
    {
        var steps = RootPlan.Make([new PodMount("/mnt", "/state/v", ReadOnly: true)], Host);
        Assert.Contains(new RootStep.Host("/mnt"), steps);
        Assert.Equal(new RootStep.Volume("/mnt", "/state/v", true), steps[^1]);
    }

    [Fact]
    public void The_termination_log_lies_in_a_private_dev_with_the_usual_devices_only()
    {
        var steps = RootPlan.Make([new PodMount("/dev/termination-log", "/state/t", IsFile: true)], Host);
        Assert.Contains(new RootStep.Host("/dev/null"), steps);
        Assert.Contains(new RootStep.Link("/dev/fd", "/proc/self/fd"), steps);
        Assert.DoesNotContain(steps, s => s.Path == "/dev/tty7");
        Assert.Contains(new RootStep.File("/dev/termination-log"), steps);
    }

    [Fact]
    public void Inner_mounts_come_after_outer_ones_and_links_on_the_way_are_followed()
    {
        var steps = RootPlan.Make([new PodMount("/graft/a/b", "/s/2"), new PodMount("/graft/a", "/s/1"), new PodMount("/var/run/x", "/s/3")], Host);
        Assert.Equal(["/graft/a", "/run/x", "/graft/a/b"], steps.OfType<RootStep.Volume>().Select(v => v.Path));
        Assert.Contains(new RootStep.Folder("/graft/a/b"), steps);
    }

    [Fact]
    public void Links_in_a_circle_are_an_error() =>
        Assert.Throws<IOException>(() => RootPlan.Make([new PodMount("/a/x", "/s")], new TableTree("/a -> /b", "/b -> /a")));

    /// <summary>Entries as lines: <c>/folder/</c>, <c>/file</c>, <c>/link -> target</c>.</summary>
    private sealed class TableTree(params string[] lines) : IHostTree
    {
        private readonly Dictionary<string, HostEntry> _entries = lines.Select(Parse).ToDictionary(e => e.Path, e => e.Entry);

        public IReadOnlyList<HostEntry> List(string folder) =>
            [.. _entries.Where(e => (Path.GetDirectoryName(e.Key) ?? "") == folder).Select(e => e.Value)];

        public HostEntry? Find(string path) => _entries.TryGetValue(path, out var entry) ? entry : null;

        private static (string Path, HostEntry Entry) Parse(string line)
        {
            var parts = line.Split(" -> ");
            var path = parts[0].TrimEnd('/');
            var kind = parts.Length == 2 ? HostEntryKind.Link : parts[0].EndsWith('/') ? HostEntryKind.Folder : HostEntryKind.File;
            return (path, new HostEntry(Path.GetFileName(path), kind, parts.ElementAtOrDefault(1)));
        }
    }
}
