using System.Globalization;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Data;
using Graft.Trainer.Evaluation;
using Graft.Trainer.Output;
using Graft.Trainer.Reporting;
using Graft.Trainer.Training;
using static TorchSharp.torch;

namespace Graft.Trainer.Runs;

/// <summary>One run from its data to its artifact. All of it happens on the torch thread, after the natives are loaded.</summary>
internal sealed class TrainingRun(
    TrainingJob job, LocalModel local, Dataset dataset, ArtifactFolder output, ProgressBoard board, RunLog log, TimeProvider time)
{
    /// <exception cref="RunFailedException">The run fails for a known reason.</exception>
    public TrainingResult Execute(CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var device = cuda.is_available() ? CUDA : CPU;
        using var method = TuningMethods.Create(job.Method);
        Enter(TrainerPhase.LoadingModel, job.Model.Source);
        var options = new LoadOptions(
            device, Precisions.Resolve(job.Model.Precision, device, method.WeightsTrain), job.Model.RandomWeights, job.Training.Seed,
            Task: dataset.Labels is null ? ModelTask.Generation : ModelTask.Classification,
            Quantization: job.Model.Quantization, Frozen: !method.WeightsTrain,
            Root: local.Root is { } root ? TrustedRoot.At(root) : null, Labels: dataset.Labels);
        // What does not fit is told before gigabytes go to the device.
        if (!job.Model.RandomWeights)
            using (var shapes = BaseModel.Load(local.Path, options.ShapesOnly)) method.Check(shapes);
        using var model = BaseModel.Load(local.Path, options);
        if (dataset.Labels is { } labels) log.Say($"labels={labels.Count}{Describe(model.NewLayers)}");
        cancellation.ThrowIfCancellationRequested();
        using var rng = new Generator(unchecked((ulong)job.Training.Seed));
        method.Attach(model, rng);
        var (train, evaluation) = Encode(model);
        var order = new BatchOrder(train.Examples.Count, job.Training.BatchSize, job.Training.Seed, job.Training.Shuffle);
        var steps = order.Steps(job.Training.Duration);
        var resolved = Resolution.Of(job, model, method, train);
        board.Post(board.Snapshot with { Steps = steps, Resolved = resolved });

        var judge = new Evaluator(model, Resolution.TokensAtOnce(device));
        var metrics = new SortedDictionary<string, double>(StringComparer.Ordinal);
        if (evaluation is not null)
        {
            Enter(TrainerPhase.EvaluatingBase, "");
            method.Enabled = false;
            foreach (var (name, value) in judge.Measure(job.Evaluation!.Metrics, evaluation, adapter: null, cancellation))
                metrics["base" + char.ToUpperInvariant(name[0]) + name[1..]] = value;
            method.Enabled = true;
        }
        var (trainingTime, loss) = Train(model, method, train, steps, resolved, cancellation);
        var lastStep = time.GetUtcNow();
        if (evaluation is not null)
        {
            Enter(TrainerPhase.Evaluating, "");
            foreach (var (name, value) in judge.Measure(job.Evaluation!.Metrics, evaluation, adapter: null, cancellation))
                metrics[name] = value;
        }
        Enter(TrainerPhase.Saving, job.Output.Uri);
        var manifest = Manifest(model, method, train, resolved, metrics, steps);
        ArtifactFolder.Guarded(output.Partial, () =>
        {
            method.Save(output.Partial, model, job.Model.Source);
            var weights = new DirectoryInfo(output.Partial).EnumerateFiles("*.safetensors").Sum(f => f.Length);
            manifest = manifest with { Facts = manifest.Facts with { Bytes = weights } };
            return true;
        });
        var (digest, bytes) = output.Publish(manifest);
        return new TrainingResult
        {
            Artifact = ArtifactReader.Summary(manifest, job.Output.Uri, digest, bytes),
            Resolved = resolved,
            Steps = steps,
            Loss = loss,
            PeakMemoryBytes = PeakMemory.Bytes(),
            TrainingSeconds = trainingTime.TotalSeconds,
            LastStepTime = lastStep,
        };
    }

    private (EncodedRows Train, EvaluationRows? Evaluation) Encode(BaseModel model)
    {
        var maxLength = Math.Min(job.Data.MaxLength, model.MaxLength - model.Transformer.LeadOf(null).Count);
        IRowEncoder encoder = dataset.Labels is { } labels
            ? new LabelEncoder(model.Tokenizer, labels, maxLength, model.Config.VocabularySize)
            : new ExampleEncoder(
                model.Tokenizer, model.ChatTemplate, job.Objective.Generation!.LearnFrom, maxLength, model.Config.VocabularySize);
        var train = EncodedRows.Encode(dataset.Train, encoder, "training");
        log.Say(string.Create(CultureInfo.InvariantCulture,
            $"rows={train.Examples.Count} tokens={train.Tokens} "
            + $"supervised_tokens={train.SupervisedTokens} cut={train.Cut} skipped={train.Skipped}"));
        var evaluation = job.Evaluation is { } plan && dataset.Validation.Count > 0
            ? EvaluationRows.Of(dataset.Validation, plan.MaxRows, encoder)
            : null;
        return (train, evaluation);
    }

    private (TimeSpan Duration, double Loss) Train(
        BaseModel model, TuningMethod method, EncodedRows train, int steps, ResolvedOptions resolved, CancellationToken cancellation)
    {
        var rates = new LearningRates(job.Training.Schedule, resolved.LearningRate, steps);
        var loop = new TrainingLoop(model, method, train.Examples, new LoopOptions(
            steps, job.Training.BatchSize, resolved.MicroBatchSize, Resolution.TokensAtOnce(model.Device),
            job.Training.Optimizer.Adamw!, rates.At, job.Training.MaxGradNorm, job.Training.Seed, job.Training.Shuffle), time);
        Enter(TrainerPhase.Training, string.Create(CultureInfo.InvariantCulture, $"{steps} steps of {job.Training.BatchSize} rows"));
        board.Post(board.Snapshot with { FirstStepTime = time.GetUtcNow() });
        var started = time.GetTimestamp();
        var throughput = new Throughput();
        double loss = 0;
        loop.Run(report =>
        {
            loss = report.Loss;
            throughput.Add(report.Tokens, report.Duration);
            board.Post(board.Snapshot with
            {
                Step = report.Step,
                Loss = report.Loss,
                LearningRate = report.LearningRate,
                TokensPerSecond = throughput.TokensPerSecond,
                RemainingSeconds = throughput.RemainingSeconds(steps - report.Step),
                PeakMemoryBytes = PeakMemory.Bytes(),
            });
            log.Step(board.Snapshot);
        }, cancellation);
        return (time.GetElapsedTime(started), loss);
    }

    private ArtifactManifest Manifest(
        BaseModel model, TuningMethod method, EncodedRows train, ResolvedOptions resolved,
        SortedDictionary<string, double> metrics, int steps) => new()
        {
            Name = job.Name,
            Kind = method.Kind,
            JobDigest = Digests.Of(job),
            Job = job,
            BaseModel = new BaseModelReference(job.Model.Source, model.Digest, local.Revision),
            Dataset = new DatasetReference(
                dataset.Sources, dataset.Digest, train.Examples.Count, dataset.Validation.Count, train.SupervisedTokens),
            Facts = method.Facts(model),
            Labels = dataset.Labels,
            Resolved = resolved,
            Metrics = metrics,
            Files = [],
            Steps = steps,
            Created = time.GetUtcNow(),
            Producer = $"graft-trainer {typeof(TrainingRun).Assembly.GetName().Version?.ToString(3)}",
        };

    /// <summary>Parts of a head that the base had none for.</summary>
    private static string Describe(IReadOnlyList<string> layers) =>
        layers.Count == 0 ? "" : $" new_layers={string.Join(",", layers)} (drawn by the seed: the base has none for these labels)";

    private void Enter(TrainerPhase phase, string detail)
    {
        board.Post(phase);
        log.Phase(phase, detail);
    }
}
