using Graft.Contract;
using Prometheus;

namespace Graft.Trainer.Reporting;

/// <summary>The snapshot as Prometheus gauges, read when somebody asks.</summary>
internal sealed class RunMetrics
{
    private readonly CollectorRegistry registry = Metrics.NewCustomRegistry();

    public RunMetrics(ProgressBoard board)
    {
        var factory = Metrics.WithCustomRegistry(registry);
        var step = factory.CreateGauge("graft_training_step", "Optimizer steps done.");
        var steps = factory.CreateGauge("graft_training_steps", "Optimizer steps planned.");
        var loss = factory.CreateGauge("graft_training_loss", "Mean loss per supervised token of the last step, in nats.");
        var rate = factory.CreateGauge("graft_training_learning_rate", "Learning rate of the last step.");
        var speed = factory.CreateGauge("graft_training_tokens_per_second", "Tokens a second over the last steps, prompt and answer.");
        var memory = factory.CreateGauge("graft_process_peak_memory_bytes", "The most memory the process ever held.");
        var phase = factory.CreateGauge("graft_training_phase", "1 for the phase the run is in, 0 for the others.", "phase");
        registry.AddBeforeCollectCallback(() =>
        {
            var now = board.Snapshot;
            step.Set(now.Step);
            steps.Set(now.Steps);
            loss.Set(now.Loss ?? double.NaN);
            rate.Set(now.LearningRate ?? double.NaN);
            speed.Set(now.TokensPerSecond ?? 0);
            memory.Set(PeakMemory.Bytes() ?? 0);
            foreach (var one in Enum.GetValues<TrainerPhase>()) phase.WithLabels(one.ToString()).Set(one == now.Phase ? 1 : 0);
        });
    }

    public Task WriteAsync(Stream stream, CancellationToken cancellation) => registry.CollectAndExportAsTextAsync(stream, cancellation);
}
