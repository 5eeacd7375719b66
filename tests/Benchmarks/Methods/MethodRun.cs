using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Data;
using Graft.Trainer.Evaluation;
using Graft.Trainer.Reporting;
using Graft.Trainer.Runs;
using Graft.Trainer.Training;
using static TorchSharp.torch;

namespace Graft.Benchmarks.Methods;

/// <summary>One method learns the task, in a process of its own, because a process's peak memory is of its whole life.</summary>
internal static class MethodRun
{
    /// <param name="rate">Null: what a run gets that names none.</param>
    public static List<Figure> Measure(MethodTask task, MethodCase method, double? rate)
    {
        var device = cuda.is_available() ? CUDA : CPU;
        using var tuning = TuningMethods.Create(method.Method);
        using var model = BaseModel.Load(task.Model, new LoadOptions(
            device, Precisions.Resolve(task.Precision, device, tuning.WeightsTrain),
            Quantization: method.Nf4 ? new Quantization { Nf4 = new Nf4Quantization() } : null));
        var encoder = new ExampleEncoder(
            model.Tokenizer, task.Templated ? model.ChatTemplate : null, LearnFrom.Completion, MethodTask.MaxLength,
            model.Config.VocabularySize);
        var train = EncodedRows.Encode(task.Train, encoder, "training").Examples;
        var judge = new Evaluator(model, Resolution.TokensAtOnce(device));
        var validation = EvaluationRows.Of(task.Validation, task.Validation.Count, encoder);
        var general = EvaluationRows.Of(task.General, task.General.Count, encoder);
        double Perplexity() => Math.Exp(judge.Loss(general.Examples, null, CancellationToken.None));
        (double Loss, double Exact, double General) Judge() => (judge.Loss(validation.Examples, null, CancellationToken.None),
            judge.ExactMatch(validation.Questions, null, CancellationToken.None), Perplexity());

        var before = Judge();
        using var rng = new Generator(0);
        tuning.Attach(model, rng);
        var trained = new List<StepReport>();
        var most = rate ?? tuning.DefaultLearningRate;
        var rates = new LearningRates(new Schedule { Cosine = new Warmup { WarmupFraction = 0.03 } }, most, task.Steps);
        new TrainingLoop(model, tuning, train, new LoopOptions(
            task.Steps, task.BatchSize, task.BatchSize, Resolution.TokensAtOnce(device), new AdamW(), rates.At),
            TimeProvider.System).Run(trained.Add, CancellationToken.None);
        var peak = PeakMemory.Bytes() ?? 0;
        var after = Judge();
        tuning.Enabled = false;
        var without = Perplexity();
        var weights = model.Transformer.Weights.Sum(w => w.Weight.numel()) + model.Transformer.Linears.Where(l => l.Weight.Dense is null)
            .Sum(l => l.Weight.Rows * l.Weight.Columns);
        return
        [
            new("trainable", tuning.Trainable.Sum(t => t.Parameter.numel()), "parameters"),
            new("base", weights, "parameters"),
            new("peak_mib", peak / 1048576.0, "MiB"),
            new("tokens_per_s", trained.Skip(1).Sum(r => r.Tokens) / trained.Skip(1).Sum(r => r.Duration.TotalSeconds), "tokens/s"),
            new("file_kib", SavedBytes(tuning, model) / 1024.0, "KiB"),
            new("loss_before", before.Loss, "nats"),
            new("loss", after.Loss, "nats"),
            new("exact_before", before.Exact, "share"),
            new("exact", after.Exact, "share"),
            new("general_before", before.General, "perplexity"),
            new("general", after.General, "perplexity"),
            new("general_without", without, "perplexity"),
            new("learning_rate", most, "peak"),
            new("judged", validation.Examples.Count, "rows"),
        ];
    }

    /// <summary>Of the weights as they are stored for use.</summary>
    private static long SavedBytes(TuningMethod tuning, BaseModel model)
    {
        var folder = Directory.CreateTempSubdirectory("graft-methods-");
        try
        {
            tuning.Save(folder.FullName, model, "base");
            return folder.EnumerateFiles("*model*.safetensors").Concat(folder.EnumerateFiles("adapter.safetensors")).Sum(f => f.Length);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
