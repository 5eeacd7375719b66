using Graft.Contract;

namespace Graft.Trainer.Tests.Support;

/// <summary>A job over the quickstart's base model and a few of its rows: seconds, not minutes.</summary>
internal static class TinyJob
{
    private const int TrainRows = 24, ValidationRows = 4;

    public static TrainingJob In(TempFolder folder, string output = "artifact")
    {
        var train = folder.Write("train.jsonl", Lines("train.jsonl", TrainRows));
        var validation = folder.Write("validation.jsonl", Lines("validation.jsonl", ValidationRows));
        var model = Repository.Sample("quickstart", "model");
        return Make.Job() with
        {
            Name = "tiny",
            Model = new ModelInput("file://./model", model, Precision.F32),
            Data = new DataInput([new DataSource("file://./train.jsonl", train)],
                new ValidationData { Sources = [new DataSource("file://./validation.jsonl", validation)] }, MaxLength: 128),
            Training = Make.Job().Training with
            {
                Duration = new TrainingDuration { Steps = 3 }, BatchSize = 8, LearningRate = 4e-3, Seed = 7,
            },
            Evaluation = new EvaluationPlan([Metric.Loss, Metric.ExactMatch]),
            Output = new OutputTarget(folder[output], $"pvc://adapters/{output}"),
        };
    }

    /// <summary>A copy of the base model, to be spoilt.</summary>
    public static string CopyOfModel(TempFolder folder)
    {
        var copy = folder["model"];
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.GetFiles(Repository.Sample("quickstart", "model")))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        return copy;
    }

    private static string Lines(string file, int count) =>
        string.Concat(File.ReadLines(Repository.Sample("quickstart", "data", file)).Take(count).Select(l => l + "\n"));
}
