using System.Text;
using System.Text.Json;
using Graft.Contract;
using Graft.Trainer.Jobs;
using Graft.Trainer.Runs;
using Graft.Trainer.Tests.Support;

namespace Graft.Trainer.Tests.Jobs;

public class JobReaderTests
{
    private static string Json(TrainingJob job) => JsonSerializer.Serialize(job, ContractJson.Compact.TrainingJob);

    private static TrainingJob Parse(string json) => JobReader.Parse(Encoding.UTF8.GetBytes(json), "job.json");

    private static string Error(string json)
    {
        var error = Assert.Throws<RunFailedException>(() => Parse(json));
        Assert.Equal(FailureClass.InvalidJob, error.Class);
        return error.Message;
    }

    [Fact]
    public void A_good_job_is_read()
    {
        var job = Parse(Json(Make.Job()));

        Assert.Equal(Digests.Of(Make.Job()), Digests.Of(job));
    }

    [Fact]
    public void Every_misspelt_missing_or_mistyped_field_is_named_at_once()
    {
        var error = Error("""
            {
              "version": "graft.dev/job/v1alpha1", "name": "a", "nmae": "b",
              "model": {"path": "p"},
              "objective": {"generation": {"learnFrom": "completion"}},
              "data": {"train": [{"source": "s", "path": "p", "colums": {}}], "maxLength": "long"},
              "method": {"lora": []},
              "training": {"duration": {"steps": 1}, "optimizer": {"adamw": {}}, "schedule": {"cosine": {}}, "batchSize": 1.5},
              "output": {"path": "/o", "uri": null}
            }
            """);

        foreach (var field in new[]
                 {
                     "nmae: unknown field", "model.source: is missing",
                         "objective.generation.learnFrom: is \"completion\"; must be one of Completion, All",
                     "data.train[0].colums: unknown field", "data.maxLength: is \"long\"", "method.lora: is a list",
                         "training.batchSize: is 1.5",
                     "output.uri: must not be null",
                 })
        {
            Assert.Contains(field, error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"name": "\ud800"}""")]
    [InlineData("""{"\ud800": 1}""")]
    [InlineData("""{"version": "graft.dev/job/v1alpha1", "data": {"train": [{"format": "\udfff"}]}}""")]
    public void Half_of_a_surrogate_pair_is_a_wrong_job(string json) => Error(json);

    public static TheoryData<string, string> Impossible => new()
    {
        { Json(Make.Job() with { Model = new("file:///m") }), "model.path: must not be empty: model.source is nothing that is fetched" },
        { Json(Make.Job() with { Data = new([new DataSource("s3://B/x")]) }),
            "data.train[0].path: is empty, and data.train[0].source cannot be fetched" },
        { Json(Make.Job() with { Version = "v2" }), "version: is \"v2\"; must be \"graft.dev/job/v1alpha1\"" },
        { Json(Make.Job() with { Name = "../x" }), "name: " },
        { Json(Make.Job() with { Method = new Method() }),
            "method: set exactly one of: lora, promptTuning, pTuning, prefixTuning, bottleneck, ia3, full" },
        { Json(Make.Job() with { Method = Make.Job().Method with { Full = new FullMethod() } }),
            "here are lora and full" },
        { Json(Make.Job() with { Objective = new Objective() }), "objective: set exactly one of: generation, classification" },
        { Json(Make.Job() with { Model = new ModelInput("s", "p", RandomWeights: true) }), "model.randomWeights: needs method.full" },
        { Json(Make.Job() with { Model = new ModelInput("s", "p", Quantization: new Quantization()) }),
            "model.quantization: set exactly one of: nf4, none" },
        {
            Json(Make.Job() with
            {
                Model = new ModelInput("s", "p", Quantization: new Quantization { Nf4 = new Nf4Quantization() }),
                Method = new Method { Full = new FullMethod() },
            }),
            "model.quantization.nf4: is for a frozen base"
        },
        { Json(Make.Job() with { Data = new DataInput([]) }), "data.train: has 0 entries" },
        { Json(Make.Job() with { Data = Make.Job().Data with { MaxLength = 1 } }), "data.maxLength: is 1" },
        { Json(Make.Job() with { Data = Make.Job().Data with { Validation = new ValidationData { Split = new ValidationSplit(1) } } }),
            "data.validation.split.fraction: is 1" },
        { Json(Make.Job() with { Data = Make.Job().Data with { Validation = new ValidationData() } }),
            "data.validation: set exactly one of: split, sources" },
        { Json(Make.Job() with { Data = new DataInput([new DataSource("s", "p", Columns: new DataColumns(Prompt: "q"))]) }),
            "prompt and completion belong together" },
        { Json(Make.Job() with { Data = new DataInput([new DataSource("s", "p", Columns: new DataColumns(Messages: "m", Text: "t"))]) }),
            "name either prompt and completion, or messages, or text" },
        { Lora(l => l with { Rank = 0 }), "method.lora.rank: is 0; must be between 1 and 4096" },
        { Lora(l => l with { Alpha = -1 }), "method.lora.alpha: is -1" },
        { Lora(l => l with { Dropout = 1 }), "method.lora.dropout: is 1" },
        { Lora(l => l with { Targets = new LoraTargets() }), "method.lora.targets: set exactly one of: allLinear, modules" },
        { Lora(l => l with { Targets = new LoraTargets { Modules = [" "] } }), "method.lora.targets.modules[0]: must not be empty" },
        { Plan(p => p with { BatchSize = 0 }), "training.batchSize: is 0" },
        { Plan(p => p with { MicroBatchSize = 5 }), "training.microBatchSize: is 5; must be between 1 and training.batchSize (4)" },
        { Plan(p => p with { LearningRate = 0 }), "training.learningRate: is 0" },
        { Plan(p => p with { MaxGradNorm = 0 }), "training.maxGradNorm: is 0" },
        { Plan(p => p with { Seed = -1 }), "training.seed: is -1" },
        { Plan(p => p with { Duration = new TrainingDuration { Epochs = 1, Steps = 1 } }),
            "training.duration: set exactly one of: epochs, steps" },
        { Plan(p => p with { Optimizer = new Optimizer { Adamw = new AdamW(Beta1: 1) } }), "training.optimizer.adamw.beta1: is 1" },
        { Plan(p => p with { Schedule = new Schedule { Cosine = new Warmup { WarmupSteps = 1, WarmupFraction = 0.1 } } }),
            "training.schedule.cosine: set warmupSteps or warmupFraction, not both" },
        { Json(Make.Job() with { Evaluation = new EvaluationPlan([Metric.Loss]) }),
            "evaluation: needs rows to evaluate on: set data.validation" },
        { Json(Make.Job() with { Output = new OutputTarget("/", "u") }), "output.path: must name a folder below another one" },
    };

    private static string Lora(Func<LoraMethod, LoraMethod> change) =>
        Json(Make.Job() with { Method = new Method { Lora = change(Make.Job().Method.Lora!) } });

    private static string Plan(Func<TrainingPlan, TrainingPlan> change) => Json(Make.Job() with { Training = change(Make.Job().Training) });

    [Theory]
    [MemberData(nameof(Impossible))]
    public void An_impossible_value_is_an_error_that_names_the_field(string json, string expected) =>
        Assert.Contains(expected, Error(json), StringComparison.Ordinal);

    [Fact]
    public void All_errors_come_together()
    {
        var error = Error(Json(Make.Job() with
        {
            Name = "",
            Method = new Method { Lora = Make.Job().Method.Lora! with { Rank = 0 } },
            Training = Make.Job().Training with { BatchSize = 0, LearningRate = -1 },
        }));

        foreach (var field in new[] { "name:", "method.lora.rank:", "training.batchSize:", "training.learningRate:" })
            Assert.Contains(field, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"name\": \"a\", \"name\": \"b\"}")]
    public void What_is_no_job_is_refused(string json) => Assert.Contains("job", Error(json), StringComparison.Ordinal);
}
