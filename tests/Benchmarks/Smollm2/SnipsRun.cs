using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Data;
using Graft.Trainer.Runs;
using Graft.Trainer.Training;
using static TorchSharp.torch;

namespace Graft.Benchmarks.Smollm2;

/// <summary>The recipe carried out with the trainer's own parts. Everything on one thread, after the natives are loaded.</summary>
internal sealed class SnipsRun : IDisposable
{
    private readonly SnipsRecipe recipe;
    private readonly BaseModel model;
    private readonly TuningMethod method;

    public SnipsRun(SnipsRecipe recipe, Precision precision)
    {
        this.recipe = recipe;
        var device = cuda.is_available() ? CUDA : CPU;
        model = BaseModel.Load(recipe.Model, new LoadOptions(device, Precisions.Resolve(precision, device, weightsTrain: false)));
        method = TuningMethods.Create(new Method { Lora = recipe.Lora });
        using var rng = new Generator(0);
        method.Attach(model, rng);
    }

    public Precision Precision => Precisions.Of(model.DType);

    /// <summary>Trains on the rows of the first <paramref name="steps"/> steps.</summary>
    public IReadOnlyList<StepReport> Train(int steps, Action<StepReport> onStep)
    {
        // The recipe's prompt is the rendered template already.
        var encoder = new ExampleEncoder(model.Tokenizer, template: null, LearnFrom.Completion, model.MaxLength, model.Config.VocabularySize);
        var examples = EncodedRows.Encode([.. recipe.TrainRows.Take(steps * recipe.BatchSize)], encoder, "training").Examples;
        var reports = new List<StepReport>();
        new TrainingLoop(model, method, examples, new LoopOptions(
            steps, recipe.BatchSize, recipe.BatchSize, Resolution.TokensAtOnce(model.Device),
            recipe.Optimizer, recipe.LearningRate, Shuffle: false),
            TimeProvider.System).Run(report =>
        {
            reports.Add(report);
            onStep(report);
        }, CancellationToken.None);
        return reports;
    }

    /// <summary>Greedy answers to the first <paramref name="rows"/> validation rows, scored as the recipe says.</summary>
    /// <param name="tuned">False: by the base alone.</param>
    public (double Intent, double Exact) Validate(int rows, bool tuned)
    {
        method.Enabled = tuned;
        var prompts = recipe.Prompts.Take(rows).Select(p => model.Tokenizer.Encode(p)).ToList();
        var results = new TextGenerator(model).GenerateBatch(prompts, new SamplingOptions(SnipsRecipe.MaxNewTokens));
        method.Enabled = true;
        return recipe.Score([.. results.Select(r => r.Text)]);
    }

    public void Dispose()
    {
        method.Dispose();
        model.Dispose();
    }
}
