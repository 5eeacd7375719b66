using System.ComponentModel;
using System.Diagnostics;
using Graft.LocalCluster;

namespace Graft.Operator.Local;

/// <summary>
/// The plan of <c>--faults</c>: what happens goes to the log as it happens, and in the end to a plan that makes it happen again.
/// </summary>
internal sealed class LocalFaults : IDisposable
{
    private static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(10);

    private readonly string _replay;
    private readonly Action<string> _say;
    private readonly ILogger _log;

    private LocalFaults(FaultPlan plan, string stateFolder, ILogger log, Action<string> say)
    {
        (_replay, _log, _say) = (Path.Combine(stateFolder, "faults-replay.yaml"), log, say);
        Injector = new FaultInjector(plan)
        {
            Happened = fault => log.LogWarning("Fault {Fault}", fault),
            Crashing = RunAsync,
        };
    }

    public FaultInjector Injector { get; }

    /// <exception cref="LocalFailure">The file cannot be read, or holds no plan.</exception>
    public static LocalFaults Read(string file, string stateFolder, FileLoggers loggers, Action<string> say)
    {
        try
        {
            return new(FaultPlan.Parse(File.ReadAllText(file)), stateFolder, loggers.CreateLogger("faults"), say);
        }
        catch (Exception e) when (e is FaultPlanException or IOException or UnauthorizedAccessException)
        {
            throw new LocalFailure($"--faults {file}: {e.Message}", e);
        }
    }

    public void Dispose()
    {
        var count = Injector.Fired.Count is 1 ? "1 fault" : $"{Injector.Fired.Count} faults";
        try
        {
            File.WriteAllText(_replay, Injector.Replay().Print());
            _say($"{count} of the plan happened; {_replay} makes the same happen again");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _say($"{count} of the plan happened; {_replay} could not be written: {e.Message}");
        }
    }

    private async Task RunAsync(FiredFault fired, CancellationToken cancellation)
    {
        if (((Fault.Crash)fired.Fault).Command is not { Count: > 0 } command) return;
        var program = command[0];
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(CommandLimit);
            using var process = Process.Start(program, command.Skip(1));
            await process.WaitForExitAsync(limit.Token);
            _log.LogWarning("{Program} ended with code {Code}", program, process.ExitCode);
        }
        catch (Exception e) when (e is Win32Exception or OperationCanceledException)
        {
            _log.LogError("{Program}: {Error}", program, e.Message);
        }
    }
}
