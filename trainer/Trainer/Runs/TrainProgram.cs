using System.Net;
using System.Runtime.InteropServices;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Data;
using Graft.Trainer.Jobs;
using Graft.Trainer.Output;
using Graft.Trainer.Reporting;
using Graft.Trainer.Training;

namespace Graft.Trainer.Runs;

/// <param name="JobFile">A contract path, or any file.</param>
/// <param name="Port">Of <c>/progress</c>; null: nothing is served.</param>
internal sealed record TrainSettings(string JobFile, int? Port);

/// <summary>The process around a run: signals, the progress server, the termination message, the exit code.</summary>
internal sealed class TrainProgram(
    TrainSettings settings, TorchThread torch, Func<string, string?> environment, TextWriter errors, TimeProvider time)
{
    // Longest single operator or file that a stop waits for; Kubernetes kills after 30 s by default.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly ProgressBoard board = new();
    private readonly RunLog log = RunLog.ForConsole(time);

    public async Task<int> RunAsync()
    {
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        var result = await ResultAsync(stop.Token);
        ResultMessage.Write(result, ContractPaths.Resolve(ContractPaths.TerminationLog, environment),
            required: !string.IsNullOrEmpty(environment(ContractPaths.Variable(ContractPaths.TerminationLog)!)), errors);
        return Close(result);

        void Stop(PosixSignalContext signal)
        {
            // A second signal has its usual effect: it ends the process at once.
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }

    private async Task<TrainingResult> ResultAsync(CancellationToken stop)
    {
        ProgressServer? server = null;
        try
        {
            var job = JobReader.Read(ContractPaths.Resolve(settings.JobFile, environment));
            if (settings.Port is { } port) server = await ProgressServer.StartAsync(Address(), port, board);
            return await WorkAsync(job, stop);
        }
        catch (Exception e)
        {
            var failure = Failures.Of(e, board.Snapshot.Step);
            if (Failures.IsBug(failure)) await errors.WriteLineAsync(e.ToString());
            return new TrainingResult
            {
                Failure = failure,
                Resolved = board.Snapshot.Resolved,
                Steps = board.Snapshot.Step,
                Loss = board.Snapshot.Loss,
                PeakMemoryBytes = PeakMemory.Bytes(),
            };
        }
        finally
        {
            if (server is not null) await server.DisposeAsync();
        }
    }

    private async Task<TrainingResult> WorkAsync(TrainingJob job, CancellationToken stop)
    {
        var folder = ContractPaths.Resolve(job.Output.Path, environment);
        if (ArtifactReader.Find(folder, job.Output.Uri, Digests.Of(job)) is var (manifest, summary))
            return new TrainingResult { Artifact = summary, Resolved = manifest.Resolved, Steps = manifest.Steps, Reused = true };
        using var output = ArtifactFolder.Create(folder);
        var fetcher = new InputFetcher(board, log, environment);
        var data = await fetcher.DataAsync(job.Data, stop);
        board.Post(TrainerPhase.LoadingData);
        log.Phase(TrainerPhase.LoadingData, string.Join(" ", job.Data.Train.Select(s => s.Source)));
        var dataset = Dataset.Read(data, job.Objective, job.Training.Seed);
        stop.ThrowIfCancellationRequested();
        // After the data was read: what is wrong with it shows before gigabytes are fetched.
        var model = await fetcher.ModelAsync(job.Model, stop);
        var run = new TrainingRun(job, model, dataset, output, board, log, time);
        var work = torch.RunAsync(() =>
        {
            TorchRuntime.Load();
            return run.Execute(stop);
        });
        return await Bounded(work, stop);
    }

    /// <summary>The run's result; or, when it was told to stop and is stuck in one long operator, an end without it.</summary>
    private async Task<TrainingResult> Bounded(Task<TrainingResult> work, CancellationToken stop)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = stop.Register(() => stopped.TrySetResult());
        await Task.WhenAny(work, stopped.Task);
        if (!work.IsCompleted) await Task.WhenAny(work, Task.Delay(Grace, time, CancellationToken.None));
        if (!work.IsCompleted) throw new OperationCanceledException(stop);
        return await work;
    }

    private int Close(TrainingResult result)
    {
        board.Post(result.Failure is null ? TrainerPhase.Succeeded : TrainerPhase.Failed);
        if (result.Failure is { } failure)
        {
            errors.WriteLine($"failed: {failure.Class}: {failure.Message}");
            return ExitCodes.Of(failure.Class);
        }
        var artifact = result.Artifact!;
        foreach (var (name, value) in artifact.Metrics) log.Say(FormattableString.Invariant($"metric={name} value={value:g5}"));
        log.Say(FormattableString.Invariant(
            $"{(result.Reused ? "found" : "wrote")} {artifact.Uri} ({artifact.Bytes / 1048576.0:f2} MiB, {artifact.Digest})"));
        return ExitCodes.Success;
    }

    private IPAddress Address()
    {
        var named = environment(ContractEnvironment.PodIp);
        if (string.IsNullOrEmpty(named)) return IPAddress.Loopback;
        return IPAddress.TryParse(named, out var address)
            ? address
            : throw new RunFailedException(FailureClass.Infrastructure,
                $"{ContractEnvironment.PodIp} is \"{named}\"; must be an IP address of this machine");
    }
}
