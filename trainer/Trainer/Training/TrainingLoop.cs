using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Data;
using Graft.Trainer.Runs;
using TorchSharp;
using static TorchSharp.torch;

namespace Graft.Trainer.Training;

/// <param name="MicroBatchTokens">Bound on the tokens that pass through the model at once; a longer example goes alone.</param>
/// <param name="LearningRate">Rate of a step, counted from 0.</param>
internal sealed record LoopOptions(
    int Steps,
    int BatchSize,
    int MicroBatchSize,
    int MicroBatchTokens,
    AdamW Optimizer,
    Func<int, double> LearningRate,
    double MaxGradNorm = 1,
    long Seed = 0,
    bool Shuffle = true);

/// <param name="Step">Optimizer steps done, this one included.</param>
/// <param name="Loss">Mean over the supervised tokens or the labels of the step, in nats.</param>
/// <param name="GradNorm">L2 norm over all gradients before clipping.</param>
/// <param name="Tokens">Prompt and answer, no padding.</param>
internal sealed record StepReport(int Step, double Loss, double GradNorm, double LearningRate, int Tokens, TimeSpan Duration);

/// <summary>
/// The one training loop: every method is a parameter of it. A step is a batch in micro-batches, whose losses are summed and
/// divided by the supervised tokens or labels of the whole step, so that cutting changes nothing but memory.
/// </summary>
internal sealed class TrainingLoop(
    BaseModel model, TuningMethod method, IReadOnlyList<Example> examples, LoopOptions options, TimeProvider time)
{
    /// <exception cref="RunFailedException">Class <see cref="FailureClass.Diverged"/>.</exception>
    /// <exception cref="OperationCanceledException">Between two micro-batches.</exception>
    public void Run(Action<StepReport> onStep, CancellationToken cancellation)
    {
        var order = new BatchOrder(examples.Count, options.BatchSize, options.Seed, options.Shuffle);
        using var optimizer = new FlatAdamW(method.Trainable, options.Optimizer, model.Device);
        method.Training = true;
        try
        {
            for (var step = 0; step < options.Steps; step++)
            {
                var started = time.GetTimestamp();
                var batch = new List<Example>();
                foreach (var row in order.Rows(step)) batch.Add(examples[row]);
                var (loss, norm) = Step(batch, optimizer, step, cancellation);
                onStep(new StepReport(step + 1, loss, norm, options.LearningRate(step), batch.Sum(e => e.Length),
                    time.GetElapsedTime(started)));
            }
        }
        finally
        {
            method.Training = false;
        }
    }

    private (double Loss, double Norm) Step(List<Example> batch, FlatAdamW optimizer, int step, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        optimizer.ZeroGradients();
        var lead = model.Transformer.LeadOf(null);
        var supervised = batch.Sum(e => e.SupervisedBehind(lead));
        using var total = zeros([], ScalarType.Float32, model.Device);
        foreach (var micro in MicroBatches.Cut(batch, options.MicroBatchSize, options.MicroBatchTokens, lead.Tokens))
        {
            cancellation.ThrowIfCancellationRequested();
            using var microScope = NewDisposeScope();
            using var part = IBatch.Of(micro, model);
            var loss = part.LossSum(model).div(supervised);
            loss.backward();
            using (no_grad()) total.add_(loss.detach());
        }
        var mean = total.ToDouble();
        var norm = optimizer.GradientNorm();
        if (!double.IsFinite(mean) || !double.IsFinite(norm)) throw Diverged(step, mean);
        optimizer.Step(options.LearningRate(step), norm, options.MaxGradNorm);
        return (mean, norm);
    }

    private RunFailedException Diverged(int step, double loss)
    {
        var what = double.IsFinite(loss) ? "gradient" : "loss";
        return new RunFailedException(FailureClass.Diverged, FormattableString.Invariant(
            $"step {step + 1}: the {what} is not finite; lower training.learningRate (here {options.LearningRate(step):g4}) or use F32"));
    }
}
