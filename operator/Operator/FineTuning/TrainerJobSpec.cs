using Graft.Contract;
using Graft.Operator.Api;
using Graft.Operator.Sources;

namespace Graft.Operator.FineTuning;

/// <summary>FineTuneJob -> <c>job.json</c>, with the volumes that its paths need.</summary>
internal sealed record TrainerJobSpec(TrainingJob Job, string Digest, PodMounts Mounts)
{
    /// <summary>
    /// Works out the job; exactly one of the two results is set, and the errors are all there are. The field names of the
    /// API and of the contract are the same words, so this is a copy, member by member, apart from sources and output.
    /// </summary>
    public static (TrainerJobSpec? Spec, IReadOnlyList<FieldError> Errors) Build(FineTuneJob resource, SourceOptions sources)
    {
        var errors = FineTuneJobValidation.Errors(resource).ToList();
        var mounts = new PodMounts();
        var paths = new SourcePaths(mounts, sources, errors);
        var spec = resource.Spec;
        var model = paths.OfModel("spec.model", spec.Model.Source, spec.Model.CredentialsRef, spec.Model.Cache);
        var train = DataSources("spec.data.train", spec.Data.Train, paths);
        var validation = Validation(spec.Data.Validation, paths);
        if (errors.Count > 0) return (null, errors);

        var job = new TrainingJob
        {
            Version = TrainingJob.CurrentVersion,
            Name = resource.Metadata.Name,
            Uid = resource.Metadata.Uid,
            Model = new(
                spec.Model.Source, model.Path, (Precision)spec.Model.Precision, Quantization: Quantization(spec.Model.Quantization),
                Credentials: model.Credentials),
            Objective = Objective(spec.Objective),
            Data = new(train, validation, spec.Data.MaxLength),
            Method = MethodOptions.Of(spec.Method),
            Training = Training(spec.Training),
            Evaluation = Evaluation(spec),
            Output = new("", ""),
        };
        var digest = Digests.Of(job);
        var folder = $"{resource.Metadata.Name}-{Digests.Short(digest, 8)}";
        var claim = spec.Output.Pvc!.ClaimName;
        mounts.AddClaim(claim, ContractPaths.Output, readOnly: false);
        mounts.AddConfigMap("job", TrainerObjects.ConfigMapName(resource), ContractPaths.Job);
        mounts.AddScratch("scratch", ContractPaths.Scratch);
        var output = new OutputTarget($"{ContractPaths.Output}/{folder}", $"pvc://{claim}/{folder}");
        return (new(job with { Output = output }, digest, mounts), []);
    }

    private static Objective Objective(ObjectiveSpec objective) => objective.Classification is { Labels: var labels }
        ? new() { Classification = new(labels is null ? null : [.. labels]) }
        : new() { Generation = new((LearnFrom)(objective.Generation?.LearnFrom ?? GenerationTokens.Completion)) };

    private static List<DataSource> DataSources(string field, IEnumerable<DataSourceSpec> sources, SourcePaths paths) =>
        [.. sources.Select((source, i) =>
        {
            var path = paths.OfFile($"{field}[{i}]", source.Source, source.CredentialsRef);
            return new DataSource(
                source.Source,
                path.Path,
                (DataFormat)(source.Format ?? DataFileFormat.Auto),
                source.Columns is { } c ? new(c.Prompt, c.Completion, c.Messages, c.Text, c.Label) : null,
                path.Credentials);
        })];

    private static ValidationData? Validation(ValidationSpec? validation, SourcePaths paths) => validation switch
    {
        null => null,
        { Split: { } split } => new() { Split = new(split.Fraction) },
        _ => new() { Sources = DataSources("spec.data.validation.sources", validation.Sources ?? [], paths) },
    };

    private static Quantization? Quantization(QuantizationSpec? quantization) => quantization switch
    {
        null => null,
        { Nf4: { } nf4 } => new() { Nf4 = new(nf4.DoubleQuant ?? new Nf4Quantization().DoubleQuant) },
        _ => new() { None = new() },
    };

    private static TrainingPlan Training(TrainingSpec training) => new(
        new() { Epochs = training.Duration.Epochs, Steps = training.Duration.Steps },
        new() { Adamw = new(training.Optimizer.Adamw?.WeightDecay ?? 0) },
        new()
        {
            Cosine = Warmup(training.Schedule.Cosine),
            Linear = Warmup(training.Schedule.Linear),
            Constant = Warmup(training.Schedule.Constant),
        },
        training.BatchSize,
        training.MicroBatchSize,
        training.LearningRate,
        training.MaxGradNorm,
        training.Seed);

    private static Warmup? Warmup(WarmupSpec? warmup) =>
        warmup is null ? null : new() { WarmupSteps = warmup.WarmupSteps, WarmupFraction = warmup.WarmupFraction };

    private static EvaluationPlan? Evaluation(FineTuneJobSpec spec) => (spec.Evaluation, spec.Data.Validation) switch
    {
        ({ } evaluation, _) => new([.. evaluation.Metrics.Select(m => (Metric)m)]),
        (null, not null) => new([Metric.Loss]),
        _ => null,
    };
}
