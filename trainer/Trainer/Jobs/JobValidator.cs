using Graft.Contract;

namespace Graft.Trainer.Jobs;

/// <summary>What the types cannot say about a job: exactly one member of a union, bounds, and fields that need each other.</summary>
internal static class JobValidator
{
    private const int MaxSteps = 100_000_000;

    public static void Validate(TrainingJob job, JobErrors errors)
    {
        errors.Check(job.Version == TrainingJob.CurrentVersion, "version",
            $"is \"{job.Version}\"; must be \"{TrainingJob.CurrentVersion}\"");
        errors.Check(IsFileName(job.Name), "name", "must be 1 to 253 letters, digits, '-', '_' or '.', and begin with a letter or digit");
        errors.NotBlank(job.Model.Source, "model.source");
        Place(job.Model.Source, job.Model.Path, "model", errors);
        errors.Check(!job.Model.RandomWeights || job.Method.Full is not null, "model.randomWeights",
            "needs method.full: an adapter on random weights learns nothing");
        if (job.Model.Quantization is { } quantization) Quantization(quantization, job, errors);
        errors.Union("objective", ("generation", job.Objective.Generation));
        Data(job.Data, errors);
        Method(job.Method, errors);
        Training(job.Training, errors);
        if (job.Evaluation is { } evaluation) Evaluation(evaluation, job.Data, errors);
        errors.NotBlank(job.Output.Path, "output.path");
        errors.NotBlank(job.Output.Uri, "output.uri");
        errors.Check(Path.GetFileName(job.Output.Path.TrimEnd('/')).Length > 0, "output.path", "must name a folder below another one");
    }

    private static void Quantization(Quantization quantization, TrainingJob job, JobErrors errors)
    {
        errors.Union("model.quantization", ("nf4", quantization.Nf4), ("none", quantization.None));
        if (quantization.Nf4 is null) return;
        errors.Check(job.Method.Full is null, "model.quantization.nf4", "is for a frozen base; method.full trains the weights themselves");
        errors.Check(!job.Model.RandomWeights, "model.quantization.nf4", "is for trained weights, not for model.randomWeights");
    }

    private static void Data(DataInput data, JobErrors errors)
    {
        Sources(data.Train, "data.train", errors);
        errors.Between<int>(data.MaxLength, 2, 1 << 20, "data.maxLength");
        if (data.Validation is not { } validation) return;
        errors.Union("data.validation", ("split", validation.Split), ("sources", validation.Sources));
        if (validation.Split is { } split)
            errors.Check(split.Fraction is > 0 and < 1, "data.validation.split.fraction",
                $"is {split.Fraction}; must lie between 0 and 1, both excluded");
        if (validation.Sources is { } sources) Sources(sources, "data.validation.sources", errors);
    }

    private static void Sources(IReadOnlyList<DataSource> sources, string field, JobErrors errors)
    {
        errors.Check(sources.Count is >= 1 and <= 64, field, $"has {sources.Count} entries; must have 1 to 64");
        for (var i = 0; i < sources.Count; i++)
        {
            errors.NotBlank(sources[i].Source, $"{field}[{i}].source");
            Place(sources[i].Source, sources[i].Path, $"{field}[{i}]", errors);
            if (sources[i].Columns is { } columns) Columns(columns, $"{field}[{i}].columns", errors);
        }
    }

    /// <summary>Either something lies at a path, or the source says where it is fetched from.</summary>
    private static void Place(string source, string path, string field, JobErrors errors)
    {
        if (path.Length > 0)
        {
            errors.NotBlank(path, field + ".path");
        }
        else if (SourceUri.Parse(source).Problem is { } problem)
        {
            errors.Add(field + ".path", SourceUri.IsRemote(source)
                ? $"is empty, and {field}.source cannot be fetched: {problem}"
                : $"must not be empty: {field}.source is nothing that is fetched");
        }
    }

    private static void Columns(DataColumns columns, string field, JobErrors errors)
    {
        foreach (var (name, value) in new[]
                 {
                     ("prompt", columns.Prompt), ("completion", columns.Completion), ("messages", columns.Messages), ("text", columns.Text),
                 })
        {
            if (value is not null) errors.NotBlank(value, $"{field}.{name}");
        }
        errors.Check(columns.Prompt is null == columns.Completion is null, field,
            "prompt and completion belong together: name both columns or none");
        var kinds = new[] { columns.Prompt ?? columns.Completion, columns.Messages, columns.Text }.Count(c => c is not null);
        errors.Check(kinds == 1, field, "name either prompt and completion, or messages, or text");
    }

    private static void Method(Method method, JobErrors errors)
    {
        errors.Union("method", ("lora", method.Lora), ("full", method.Full));
        if (method.Lora is not { } lora) return;
        errors.Between<int>(lora.Rank, 1, 4096, "method.lora.rank");
        errors.Check(lora.Alpha > 0 && double.IsFinite(lora.Alpha), "method.lora.alpha", $"is {lora.Alpha}; must be above 0");
        errors.Check(lora.Dropout is >= 0 and < 1, "method.lora.dropout", $"is {lora.Dropout}; must be at least 0 and below 1");
        errors.Union("method.lora.targets", ("allLinear", lora.Targets.AllLinear), ("modules", lora.Targets.Modules));
        if (lora.Targets.Modules is not { } modules) return;
        errors.Check(modules.Count is >= 1 and <= 256, "method.lora.targets.modules", $"has {modules.Count} entries; must have 1 to 256");
        for (var i = 0; i < modules.Count; i++) errors.NotBlank(modules[i], $"method.lora.targets.modules[{i}]");
    }

    private static void Training(TrainingPlan plan, JobErrors errors)
    {
        errors.Union("training.duration", ("epochs", plan.Duration.Epochs), ("steps", plan.Duration.Steps));
        if (plan.Duration.Epochs is { } epochs)
            errors.Check(epochs is > 0 and <= 100_000, "training.duration.epochs", $"is {epochs}; must be above 0 and at most 100000");
        errors.Between(plan.Duration.Steps, 1, MaxSteps, "training.duration.steps");
        errors.Union("training.optimizer", ("adamw", plan.Optimizer.Adamw));
        if (plan.Optimizer.Adamw is { } adamw) AdamW(adamw, errors);
        errors.Union("training.schedule", ("cosine", plan.Schedule.Cosine), ("linear", plan.Schedule.Linear),
            ("constant", plan.Schedule.Constant));
        Warmup(plan.Schedule.Cosine, "training.schedule.cosine", errors);
        Warmup(plan.Schedule.Linear, "training.schedule.linear", errors);
        Warmup(plan.Schedule.Constant, "training.schedule.constant", errors);
        errors.Between<int>(plan.BatchSize, 1, 1 << 20, "training.batchSize");
        if (plan.MicroBatchSize is { } micro)
            errors.Check(micro >= 1 && micro <= Math.Max(1, plan.BatchSize), "training.microBatchSize",
                $"is {micro}; must be between 1 and training.batchSize ({plan.BatchSize})");
        if (plan.LearningRate is { } rate)
            errors.Check(rate is > 0 and <= 100, "training.learningRate", $"is {rate}; must be above 0 and at most 100");
        errors.Check(plan.MaxGradNorm > 0 && double.IsFinite(plan.MaxGradNorm), "training.maxGradNorm",
            $"is {plan.MaxGradNorm}; must be above 0");
        errors.Between(plan.Seed, 0L, long.MaxValue, "training.seed");
    }

    private static void AdamW(AdamW adamw, JobErrors errors)
    {
        errors.Check(adamw.WeightDecay is >= 0 and < 100, "training.optimizer.adamw.weightDecay",
            $"is {adamw.WeightDecay}; must be at least 0 and below 100");
        errors.Check(adamw.Beta1 is >= 0 and < 1, "training.optimizer.adamw.beta1", $"is {adamw.Beta1}; must be at least 0 and below 1");
        errors.Check(adamw.Beta2 is >= 0 and < 1, "training.optimizer.adamw.beta2", $"is {adamw.Beta2}; must be at least 0 and below 1");
        errors.Check(adamw.Epsilon is > 0 and < 1, "training.optimizer.adamw.epsilon", $"is {adamw.Epsilon}; must be above 0 and below 1");
    }

    private static void Warmup(Warmup? warmup, string field, JobErrors errors)
    {
        if (warmup is null) return;
        errors.Check(warmup.WarmupSteps is null || warmup.WarmupFraction is null, field, "set warmupSteps or warmupFraction, not both");
        errors.Between(warmup.WarmupSteps, 0, MaxSteps, $"{field}.warmupSteps");
        errors.Between(warmup.WarmupFraction, 0.0, 1.0, $"{field}.warmupFraction");
    }

    private static void Evaluation(EvaluationPlan evaluation, DataInput data, JobErrors errors)
    {
        errors.Check(data.Validation is not null, "evaluation", "needs rows to evaluate on: set data.validation");
        errors.Check(evaluation.Metrics.Count > 0, "evaluation.metrics", "name at least one of Loss, ExactMatch");
        errors.Check(evaluation.Metrics.Distinct().Count() == evaluation.Metrics.Count, "evaluation.metrics", "names a metric twice");
        errors.Between<int>(evaluation.MaxRows, 1, 1_000_000, "evaluation.maxRows");
    }

    private static bool IsFileName(string name) =>
        name.Length is >= 1 and <= 253 && char.IsAsciiLetterOrDigit(name[0])
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
