using System.Diagnostics;
using Graft.LocalCluster.Kubelet.Logs;
using Graft.LocalCluster.Kubelet.Mounts;
using Graft.LocalCluster.Kubelet.Processes;

namespace Graft.LocalCluster.Tests.Kubelet;

public sealed class ContainerProcessTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<Isolation> Ways => [Isolation.MountNamespace, Isolation.UserNamespace, Isolation.Variables];

    [SkippableTheory, MemberData(nameof(Ways))]
    public async Task Arguments_reach_the_program_unchanged_and_its_exit_code_comes_back(Isolation way)
    {
        await using var host = await HostAsync(way);
        string[] arguments = ["a b", "it's", "$HOME `x` \\", "line\nline", "\"q\"", ""];
        var exit = await RunAsync(host, ["/bin/sh", "-c", "for a in \"$@\"; do printf '[%s]' \"$a\"; done; printf '%s' \"$WORD\" >&2; exit 7", "sh", .. arguments]);
        Assert.Equal(7, exit.Code);
        var lines = await LogAsync();
        Assert.Equal(string.Concat(arguments.Select(a => $"[{a}]")), string.Join('\n', lines.Where(l => l.Stream == "stdout").Select(l => l.Text)));
        Assert.Equal("two words", Assert.Single(lines, l => l.Stream == "stderr").Text);
    }

    [SkippableTheory, InlineData(Isolation.MountNamespace), InlineData(Isolation.UserNamespace)]
    public async Task Mounts_appear_at_their_paths_and_read_only_ones_refuse_writes(Isolation way)
    {
        await using var host = await HostAsync(way);
        var (input, output) = (_folder.Sub("in put"), _folder.Sub("out'put"));
        await File.WriteAllTextAsync(Path.Combine(input, "text"), "hello");
        var message = _folder.Write("message", "");
        const string Script = "cp /graft/in/text /graft/output/copy; echo done > /dev/termination-log; touch /graft/in/no 2>/dev/null && exit 3; " +
            "echo x > /dev/null; test -d /proc/self && test -x /usr/bin/env && test \"$(pwd)\" = /graft/output";
        var exit = await RunAsync(host, ["/bin/sh", "-c", Script], work: "/graft/output", mounts:
        [
            new PodMount("/graft/in", input, ReadOnly: true), new PodMount("/graft/output", output),
            new PodMount("/dev/termination-log", message, IsFile: true),
        ]);
        Assert.Equal(0, exit.Code);
        Assert.Equal("hello", await File.ReadAllTextAsync(Path.Combine(output, "copy")));
        Assert.Equal("done\n", await File.ReadAllTextAsync(message));
        Assert.False(File.Exists("/dev/termination-log"));
        Assert.False(Directory.Exists("/graft/output"));
    }

    [SkippableTheory, MemberData(nameof(Ways))]
    public async Task A_killed_process_exits_with_137_and_what_it_started_ends_with_it(Isolation way)
    {
        await using var host = await HostAsync(way);
        var process = await ContainerProcess.StartAsync(Spec(["/bin/sh", "-c", "sleep 1000 & echo $!; wait"]), host);
        await UntilAsync(async () => (await LogAsync()).Count == 1);
        process.Signal(Signals.Kill);
        var exit = await process.Exit.WaitAsync(Patience);
        Assert.Equal((137, 9), (exit.Code, exit.Signal));
        await UntilAsync(() => Task.FromResult(!Signals.GroupExists(process.Group)));
    }

    [SkippableTheory, MemberData(nameof(Ways))]
    public async Task A_process_that_ends_leaves_no_background_process_behind(Isolation way)
    {
        await using var host = await HostAsync(way);
        var process = await ContainerProcess.StartAsync(Spec(["/bin/sh", "-c", "sleep 1000 & exit 0"]), host);
        Assert.Equal(0, (await process.Exit.WaitAsync(Patience)).Code);
        await UntilAsync(() => Task.FromResult(!Signals.GroupExists(process.Group)));
    }

    [Fact]
    public async Task A_termination_signal_can_be_handled()
    {
        await using var host = await HostAsync(Isolation.Variables);
        var process = await ContainerProcess.StartAsync(Spec(["/bin/sh", "-c", "trap 'exit 5' TERM; echo ready; sleep 1000 & wait"]), host);
        await UntilAsync(async () => (await LogAsync()).Count == 1);
        process.Signal(Signals.Terminate);
        Assert.Equal(5, (await process.Exit.WaitAsync(Patience)).Code);
    }

    [Fact]
    public async Task The_environment_is_the_containers_alone()
    {
        await using var host = await HostAsync(Isolation.Variables);
        Environment.SetEnvironmentVariable("GRAFT_TEST_SECRET", "hidden");
        await RunAsync(host, ["/usr/bin/env"]);
        var names = (await LogAsync()).Select(l => l.Text.Split('=')[0]).Except(["PWD", "OLDPWD", "SHLVL", "_"]).Order();
        Assert.Equal(["PATH", "WORD"], names);
    }

    [Fact]
    public async Task Memory_above_the_limit_is_killed_and_said_so()
    {
        await using var host = await HostAsync(Isolation.Variables);
        // tail keeps a line without end in memory.
        var spec = Spec(["/bin/sh", "-c", "tr '\\0' x < /dev/zero | head -c 300000000 | tail | sleep 1000"]) with { MemoryLimit = 30_000_000 };
        var process = await ContainerProcess.StartAsync(spec, host);
        var exit = await process.Exit.WaitAsync(Patience);
        Assert.True(exit.OutOfMemory);
        Assert.Equal(137, exit.Code);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Nothing_is_left_when_the_host_goes(bool ignoresSignals)
    {
        var host = await HostAsync(Isolation.Variables);
        var process = await ContainerProcess.StartAsync(
            Spec(["/bin/sh", "-c", (ignoresSignals ? "trap '' TERM INT HUP; " : "") + "sleep 1000 & sleep 1000"]), host);
        await host.DisposeAsync();
        Assert.Equal(137, (await process.Exit.WaitAsync(Patience)).Code);
        await UntilAsync(() => Task.FromResult(!Signals.GroupExists(process.Group)));
    }

    private async Task<ProcessHost> HostAsync(Isolation way)
    {
        var state = _folder.Sub("state");
        try
        {
            return await ProcessHost.StartAsync(state, way, TimeProvider.System, default);
        }
        catch (NotSupportedException e)
        {
            throw new SkipException(e.Message);
        }
    }

    private async Task<ProcessExit> RunAsync(ProcessHost host, string[] command, string work = "/", params PodMount[] mounts) =>
        await (await ContainerProcess.StartAsync(Spec(command) with { WorkingFolder = work, Mounts = mounts }, host)).Exit.WaitAsync(Patience);

    private ProcessSpec Spec(string[] command) => new(
        command, new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin", ["WORD"] = "two words" }, [], "/",
        Path.Combine(_folder.Path, "c 1"), Path.Combine(_folder.Path, "log"));

    private async Task<List<LogLine>> LogAsync()
    {
        var path = Path.Combine(_folder.Path, "log");
        if (!File.Exists(path)) return [];
        return [.. (await File.ReadAllLinesAsync(path)).Select(l => LogLine.Parse(l) ?? throw new FormatException(l))];
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(clock.Elapsed < Patience, "It did not happen in time");
            await Task.Delay(20);
        }
    }
}
