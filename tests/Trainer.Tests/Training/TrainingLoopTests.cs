using Graft.Contract;
using Graft.Trainer.Runs;
using Graft.Trainer.Tests.Support;
using Graft.Trainer.Training;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Training;

/// <summary>What the loop does besides learning: its cuts, its stops. See <see cref="PeftFixtureTests"/> for what it learns.</summary>
[Collection(TorchCollection.Name)]
public sealed class TrainingLoopTests
{
    [Theory]
    [InlineData(1, 1024)]
    [InlineData(3, 1024)]
    [InlineData(4, 20)]
    public void Micro_batches_change_nothing_but_memory(int examples, int tokens)
    {
        using var scope = NewDisposeScope();
        using var run = Case("accumulation_llama");
        using var whole = Case("accumulation_llama");

        var (parts, once) = (run.Run(microBatchSize: examples, microBatchTokens: tokens), whole.Run());

        foreach (var (part, all) in parts.Zip(once)) Assert.Equal(all.Loss, part.Loss, all.Loss * 2e-5);
        using var guard = no_grad();
        foreach (var (part, all) in run.Method.Trainable.Zip(whole.Method.Trainable))
            Assert.InRange(part.Parameter.sub(all.Parameter).abs().max().item<float>(), 0, 1e-4);
    }

    [Fact]
    public void A_loss_that_is_no_number_ends_the_run_as_diverged()
    {
        using var scope = NewDisposeScope();
        using var run = Case("full_llama");

        var error = Assert.Throws<RunFailedException>(() => run.Run(learningRate: 1e30));

        Assert.Equal(FailureClass.Diverged, error.Class);
        Assert.Contains("lower training.learningRate (here 1e+30)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stop_takes_effect_between_two_micro_batches()
    {
        using var scope = NewDisposeScope();
        using var run = Case("lora_llama_all");
        using var stop = new CancellationTokenSource();
        var steps = 0;
        var loop = new TrainingLoop(run.Model, run.Method, run.Examples, new LoopOptions(
            1_000_000, run.BatchSize, 1, 1024, new AdamW(), _ => 1e-3), TimeProvider.System);

        Assert.Throws<OperationCanceledException>(() => loop.Run(_ =>
        {
            if (++steps == 3) stop.Cancel();
        }, stop.Token));

        Assert.Equal(3, steps);
        Assert.False(run.Method.Training);
    }
    private static PeftCase Case(string name) => new(Repository.Fixture("peft", name));
}
