using System.Net.Sockets;
using System.Text.Json;
using Graft.Operator.Cli;
using Graft.Operator.Local;
using Microsoft.Extensions.Logging;

namespace Graft.Operator.Tests;

public class LocalCommandTests
{
    public static TheoryData<string> Failures => [.. Known().Keys];

    private static Dictionary<string, Exception> Known() => new()
    {
        ["refused by this program"] = new LocalFailure("in words"),
        ["no connection"] = new HttpRequestException("in words", new SocketException()),
        ["no answer in time"] = new TimeoutException("in words"),
        ["HttpClient's own limit"] = new TaskCanceledException("in words", new TimeoutException()),
        ["an answer that is no JSON"] = new JsonException("in words"),
        ["a full disk"] = new IOException("in words"),
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Whatever_goes_wrong_is_one_line_and_exit_code_1(string failure)
    {
        using var errors = new StringWriter();
        Assert.Equal(1, await LocalCommand.ExitCodeAsync(_ => Task.FromException(Known()[failure]), errors, default));
        Assert.Equal($"in words{Environment.NewLine}", errors.ToString());
    }

    [Fact]
    public async Task A_stop_before_the_end_is_told_to_the_shell()
    {
        using var stop = new CancellationTokenSource();
        using var errors = new StringWriter();
        var code = LocalCommand.ExitCodeAsync(token => Task.Delay(Timeout.Infinite, token), errors, stop.Token);
        await stop.CancelAsync();
        Assert.Equal((130, ""), (await code, errors.ToString()));
    }

    [Fact]
    public async Task A_stop_while_everything_stays_up_is_a_good_end()
    {
        using var stop = new CancellationTokenSource();
        using var errors = new StringWriter();
        var (console, _) = TextConsole.Create();
        var run = new LocalRun(new() { Folder = "/none", StateFolder = "/none", Keep = true }, console, TimeProvider.System);
        var code = LocalCommand.ExitCodeAsync(token => run.StayAsync("kubeconfig", token), errors, stop.Token);
        Assert.False(code.IsCompleted);
        await stop.CancelAsync();
        Assert.Equal(0, await code);
    }

    [SkippableFact]
    public void A_log_that_has_no_place_left_does_not_stop_what_it_tells_of()
    {
        Skip.IfNot(File.Exists("/dev/full"), "needs /dev/full");
        using var loggers = new FileLoggers("/dev/full", TimeProvider.System);
        var logger = loggers.CreateLogger("kubelet");
        for (var i = 0; i < 200; i++) logger.LogInformation("{Line}", new string('x', 1000));
    }
}
