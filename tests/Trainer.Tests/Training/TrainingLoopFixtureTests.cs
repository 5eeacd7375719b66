using Graft.Contract;
using Graft.Trainer.Runs;
using Graft.Trainer.Tests.Support;
using Graft.Trainer.Training;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Training;

/// <summary>The loop against runs of the reference implementation (PEFT and transformers).</summary>
[Collection(TorchCollection.Name)]
public class TrainingLoopFixtureTests
{
    private static List<StepReport> Run(PeftCase run, int? microBatchSize = null, int microBatchTokens = 1024, double learningRate = 0,
        int steps = 8)
    {
        var reports = new List<StepReport>();
        new TrainingLoop(run.Model, run.Method, run.Examples, new LoopOptions(
            steps, run.BatchSize, microBatchSize ?? run.BatchSize, microBatchTokens, run.Optimizer,
            _ => learningRate == 0 ? run.LearningRate : learningRate, Shuffle: false),
            TimeProvider.System).Run(reports.Add, CancellationToken.None);
        return reports;
    }

    [Theory]
    [InlineData("lora_llama_all")]
    [InlineData("rslora_llama")]
    [InlineData("full_llama")]
    [InlineData("accumulation_llama")]
    public void Fixture_losses_gradient_norms_and_final_tensors_are_the_references(string name)
    {
        using var scope = NewDisposeScope();
        using var run = new PeftCase(name);

        var reports = Run(run);

        foreach (var (report, loss, norm) in reports.Zip(run.Losses, run.GradNorms))
        {
            Assert.Equal(loss, report.Loss, loss * 2e-5);
            Assert.Equal(norm, report.GradNorm, norm * 1e-4);
        }
        Assert.InRange(run.DistanceFromFinal(), 0, 1e-4);
    }

    [Theory]
    [InlineData(1, 1024)]
    [InlineData(3, 1024)]
    [InlineData(4, 20)]
    public void Fixture_micro_batches_change_nothing_but_memory(int examples, int tokens)
    {
        using var scope = NewDisposeScope();
        using var run = new PeftCase("accumulation_llama");

        var reports = Run(run, examples, tokens);

        foreach (var (report, loss) in reports.Zip(run.Losses)) Assert.Equal(loss, report.Loss, loss * 2e-5);
        Assert.InRange(run.DistanceFromFinal(), 0, 1e-4);
    }

    [Fact]
    public void A_loss_that_is_no_number_ends_the_run_as_diverged()
    {
        using var scope = NewDisposeScope();
        using var run = new PeftCase("full_llama");

        var error = Assert.Throws<RunFailedException>(() => Run(run, learningRate: 1e30));

        Assert.Equal(FailureClass.Diverged, error.Class);
        Assert.Contains("lower training.learningRate (here 1e+30)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stop_takes_effect_between_two_micro_batches()
    {
        using var scope = NewDisposeScope();
        using var run = new PeftCase("lora_llama_all");
        using var stop = new CancellationTokenSource();
        var steps = 0;
        var loop = new TrainingLoop(run.Model, run.Method, run.Examples, new LoopOptions(
            1_000_000, run.BatchSize, 1, 1024, run.Optimizer, _ => 1e-3), TimeProvider.System);

        Assert.Throws<OperationCanceledException>(() => loop.Run(_ =>
        {
            if (++steps == 3) stop.Cancel();
        }, stop.Token));

        Assert.Equal(3, steps);
        Assert.False(run.Method.Training);
    }
}
