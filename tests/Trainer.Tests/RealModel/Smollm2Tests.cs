using Graft.Benchmarks.Smollm2;
using Graft.Contract;
using Graft.Trainer.Tests.Support;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.RealModel;

/// <summary>A third of the recipe beside the real model: enough to see that it learns.</summary>
[Collection(TorchCollection.Name)]
public class Smollm2Tests
{
    private const int Steps = 40, Rows = 24;

    [SkippableFact]
    [Trait("long", "true")]
    public void Smollm2_learns_intents_and_slots_from_320_rows()
    {
        var folder = Repository.RealModel("smollm2-135m-instruct", Environment.GetEnvironmentVariable);
        using var scope = NewDisposeScope();
        using var run = new SnipsRun(SnipsRecipe.Read(folder), Precision.F32);

        var (before, _) = run.Validate(Rows, tuned: false);
        var reports = run.Train(Steps, _ => { });
        var (after, _) = run.Validate(Rows, tuned: true);

        Assert.InRange(reports[0].Loss, 1.5, 5);
        Assert.InRange(reports.TakeLast(10).Average(r => r.Loss), 0, 0.4);
        Assert.InRange(before, 0, 0.1);
        Assert.True(after >= before + 0.4, $"right intents: {before:p0} before, {after:p0} after");
    }
}
