using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Data;
using Graft.Trainer.Evaluation;
using Graft.Trainer.Tests.Support;
using Graft.Trainer.Training;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Training;

/// <summary>Labels through the one loop: micro-batches add up to the step, and what is measured is what was learnt.</summary>
[Collection(TorchCollection.Name)]
public sealed class LabelLoopTests
{
    private const int Rows = 6;

    [Theory]
    [InlineData(1, 1024)]
    [InlineData(4, 1024)]
    [InlineData(6, 20)]
    public void Micro_batches_change_nothing_but_memory(int examples, int tokens)
    {
        using var scope = NewDisposeScope();
        var (whole, _) = Train(Rows, 1024);
        var (parts, _) = Train(examples, tokens);

        foreach (var (one, other) in whole.Zip(parts))
        {
            Assert.Equal(one.Loss, other.Loss, one.Loss * 2e-5);
            Assert.Equal(one.GradNorm, other.GradNorm, one.GradNorm * 1e-4);
        }
    }

    [Fact]
    public void The_loss_is_the_mean_over_rows_and_falls_until_every_label_is_right()
    {
        using var scope = NewDisposeScope();
        var (reports, measured) = Train(Rows, 1024, steps: 60);

        Assert.Equal(Math.Log(3), reports[0].Loss, 0.5);
        Assert.True(measured["loss"] < 0.2, $"{measured["loss"]}");
        Assert.Equal(1, measured["accuracy"]);
    }

    private static (List<StepReport> Reports, SortedDictionary<string, double> Measured) Train(int examples, int tokens, int steps = 3)
    {
        using var model = BaseModel.Load(Repository.Fixture("models", "bert_seqcls"), new LoadOptions(
            CPU, ScalarType.Float32, RequireTokenizer: false, Task: ModelTask.Classification, Labels: ["x", "y", "z"]));
        using var method = TuningMethods.Create(new Method { Bottleneck = new BottleneckMethod(BottleneckPlacement.Houlsby, 4) });
        method.Attach(model, new Generator(3));
        List<Example> rows = [.. Enumerable.Range(0, Rows).Select(i =>
            new LabeledExample([.. Enumerable.Range(0, 4 + i).Select(t => 10 + (i * 31 + t * 7) % 300)], i % 3))];
        var reports = new List<StepReport>();
        new TrainingLoop(model, method, rows, new LoopOptions(steps, Rows, examples, tokens, new AdamW(), _ => 5e-3, Shuffle: false),
            TimeProvider.System).Run(reports.Add, CancellationToken.None);
        var measured = new Evaluator(model, 16).Measure(
            [Metric.Loss, Metric.Accuracy], new EvaluationRows(rows, []), null, CancellationToken.None);
        return (reports, measured);
    }
}
