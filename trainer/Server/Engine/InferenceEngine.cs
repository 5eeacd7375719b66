using System.Collections.Concurrent;
using Graft.Server.Hosting;
using Graft.Server.Protocol;

namespace Graft.Server.Engine;

/// <summary>
/// Continuous batching (Yu et al. 2022, "Orca") on one thread that alone touches the model: it takes in commands, schedules, runs
/// one step of all running sequences, hands out the tokens, and again. Sequences come and go between steps, each with its own adapter.
/// </summary>
internal sealed partial class InferenceEngine(
    Func<IEngineModel> load, EngineLimits limits, ServerMetrics metrics, TimeProvider clock, ILogger<InferenceEngine> log) : IDisposable
{
    private readonly BlockingCollection<Command> commands = [];
    private readonly TaskCompletionSource<ModelFacts> loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Scheduler scheduler = new(limits);
    private Thread? thread;
    private int admitted;

    /// <summary>What is being done until then, in a sentence for those who ask too early.</summary>
    public string Doing { get; set; } = "The model is loading.";

    /// <summary>Done when the model is there; failed when it cannot be loaded.</summary>
    public Task<ModelFacts> Loaded => loaded.Task;

    /// <summary>Done when the thread ends; failed when nobody told it to.</summary>
    public Task Stopped => stopped.Task;

    /// <summary>The loaded model's facts.</summary>
    /// <exception cref="ApiException">503 while the model is loading.</exception>
    public ModelFacts Facts =>
        loaded.Task.IsCompletedSuccessfully ? loaded.Task.Result : throw ApiException.Unavailable(Doing);

    public void Start()
    {
        thread = new Thread(Main) { Name = "engine", IsBackground = true };
        thread.Start();
    }

    /// <summary>Takes all of the sequences, or none when the queue has no room for them.</summary>
    public bool TrySubmit(IReadOnlyList<Sequence> sequences)
    {
        if (Interlocked.Add(ref admitted, sequences.Count) > limits.MaxSequences + limits.MaxWaiting)
        {
            Interlocked.Add(ref admitted, -sequences.Count);
            return false;
        }
        // One command, so that they begin in the same step.
        Post(
            _ =>
            {
                foreach (var sequence in sequences) scheduler.Add(sequence);
            },
            () =>
            {
                foreach (var sequence in sequences) End(sequence, Stopping);
            });
        return true;
    }

    /// <summary>Runs <paramref name="work"/> on the engine's thread, between two steps.</summary>
    public Task<T> InvokeAsync<T>(Func<IEngineModel, T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(model =>
        {
            try
            {
                done.SetResult(work(model));
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        }, () => done.TrySetException(Stopping));
        return done.Task;
    }

    /// <summary>Runs <paramref name="work"/> on the engine's thread some time; not at all once it has ended.</summary>
    public void Post(Action work) => Post(_ => work(), () => { });

    /// <summary>Ends the thread after the step it is in; whatever still waits or runs is told so.</summary>
    public void Stop()
    {
        if (!commands.IsAddingCompleted) commands.CompleteAdding();
    }

    public void Dispose()
    {
        Stop();
        thread?.Join();
        commands.Dispose();
    }

    private static ApiException Stopping => ApiException.Unavailable("The server is stopping.");

    private void Post(Action<IEngineModel> run, Action refuse)
    {
        try
        {
            commands.Add(new Command(run, refuse));
        }
        catch (InvalidOperationException) // adding was completed
        {
            refuse();
        }
    }

    private void Main()
    {
        try
        {
            using var model = load();
            loaded.SetResult(model.Facts);
            Loop(model);
            stopped.SetResult();
        }
        catch (Exception e)
        {
            loaded.TrySetException(e);
            stopped.SetException(e);
        }
        finally
        {
            commands.CompleteAdding();
            foreach (var command in commands.GetConsumingEnumerable()) command.Refuse();
            foreach (var sequence in scheduler.All.ToList()) End(sequence, Stopping);
        }
    }

    private void Loop(IEngineModel model)
    {
        while (!commands.IsAddingCompleted)
        {
            if (scheduler.IsIdle && commands.TryTake(out var first, Timeout.Infinite)) first.Run(model);
            while (commands.TryTake(out var command)) command.Run(model);
            Step(model);
        }
    }

    private void Step(IEngineModel model)
    {
        foreach (var sequence in scheduler.All.Where(s => s.IsCancelled).ToList()) End(sequence, new OperationCanceledException());
        var batch = scheduler.Schedule();
        metrics.Queue(scheduler.Running, scheduler.Waiting);
        foreach (var sequence in batch.Where(s => s.State == SequenceState.Waiting)) Start(sequence, model);
        var started = batch.Where(s => s.State == SequenceState.Running).ToList();
        if (started.Count == 0) return;
        try
        {
            var pieces = model.Step([.. started.Select(s => s.Answer!)], limits.PromptTokensPerStep);
            for (var i = 0; i < started.Count; i++)
            {
                if (pieces[i] is { } piece) Take(started[i], piece);
            }
        }
        catch (Exception e)
        {
            // What went wrong cannot be pinned on one of them, and none of their caches can be trusted any more.
            StepFailed(log, started.Count, e);
            foreach (var sequence in started) End(sequence, ApiException.Internal("The engine failed while it computed this answer."));
        }
    }

    private void Start(Sequence sequence, IEngineModel model)
    {
        try
        {
            sequence.Start(model);
        }
        catch (Exception e)
        {
            StepFailed(log, 1, e);
            End(sequence, ApiException.Internal("The engine could not begin this answer."));
        }
    }

    private void Take(Sequence sequence, Piece piece)
    {
        if (!sequence.HasBegun) metrics.FirstToken(clock.GetElapsedTime(sequence.Arrival), sequence.PromptLength);
        metrics.GeneratedToken();
        // Counted before the reader can see it: whoever has an answer finds it in the metrics.
        if (piece.Finish is { } reason)
        {
            Interlocked.Decrement(ref admitted);
            metrics.Answered(sequence.Model, reason, clock.GetElapsedTime(sequence.Arrival));
        }
        sequence.Take(piece);
    }

    private void End(Sequence sequence, Exception error)
    {
        if (sequence.State == SequenceState.Finished) return;
        Interlocked.Decrement(ref admitted);
        sequence.End(error);
    }

    [LoggerMessage(LogLevel.Error, "A step of {Count} sequences failed")]
    private static partial void StepFailed(ILogger log, int count, Exception e);

    /// <param name="Refuse">Called instead of <paramref name="Run"/> when the engine ends first.</param>
    private readonly record struct Command(Action<IEngineModel> Run, Action Refuse);
}
