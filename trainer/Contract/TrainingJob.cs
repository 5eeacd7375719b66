namespace Graft.Contract;

/// <summary>
/// <c>job.json</c>: everything a trainer needs to know, and nothing about the cluster around it. The operator writes it
/// into a ConfigMap that is mounted at <see cref="ContractPaths.JobFile"/>; a person may write one by hand and run
/// <c>graft-trainer train --job job.json</c>. Unions are spelt out, and an optional number has its default here. It is strict: an unknown field is an error
/// (<see cref="FailureClass.InvalidJob"/>), because a misspelt option that is ignored costs a training run.
/// Paths in it are contract paths (<see cref="ContractPaths"/>), never paths of one machine.
/// </summary>
public sealed record TrainingJob
{
    public const string CurrentVersion = "graft.dev/job/v1alpha1";

    public required string Version { get; init; }

    /// <summary>The run's name: the FineTuneJob's, or anything a person likes. It names the artifact's folder.</summary>
    public required string Name { get; init; }

    /// <summary>Tells two runs of the same name and content apart (the FineTuneJob's uid); part of the digest.</summary>
    public string? Uid { get; init; }

    public required ModelInput Model { get; init; }
    public required Objective Objective { get; init; }
    public required DataInput Data { get; init; }
    public required Method Method { get; init; }
    public required TrainingPlan Training { get; init; }
    public EvaluationPlan? Evaluation { get; init; }
    public required OutputTarget Output { get; init; }
}

/// <param name="Source">Where the model came from, as the person wrote it; recorded in the artifact.</param>
/// <param name="Path">
/// Folder in Hugging Face layout, or a <c>.gguf</c> file. Empty: <paramref name="Source"/> is fetched (<see cref="SourceUri"/>).
/// </param>
/// <param name="Precision">Arithmetic of the frozen base; trainable tensors and their optimizer state stay in F32.</param>
/// <param name="RandomWeights">Start from random weights drawn with the run's seed instead of reading any; only with <c>full</c>.</param>
/// <param name="Quantization">How the frozen base is kept in memory. Null: as its file has it, quantised or not.</param>
/// <param name="Credentials">Folder with the files to fetch it with, one for each key (<see cref="ContractPaths.Credentials"/>).</param>
public sealed record ModelInput(
    string Source,
    string Path = "",
    Precision Precision = Precision.Auto,
    bool RandomWeights = false,
    Quantization? Quantization = null,
    string? Credentials = null);

/// <summary>A union: exactly one member is set. Not with <c>full</c>, whose weights train.</summary>
public sealed record Quantization
{
    public Nf4Quantization? Nf4 { get; init; }
    public NoQuantization? None { get; init; }
}

/// <summary>
/// The linear layers of the blocks are quantised as they are loaded, to the four-bit NormalFloat of QLoRA (Dettmers et al. 2023,
/// arXiv:2305.14314) in blocks of 64.
/// </summary>
/// <param name="DoubleQuant">The blocks' scales are quantised too, to eight bits in blocks of 256: 0.37 bits a weight less.</param>
public sealed record Nf4Quantization(bool DoubleQuant = true);

/// <summary>A quantised file's weights are widened as they are loaded: faster, in several times the memory.</summary>
public sealed record NoQuantization;

/// <summary>Arithmetic precision; <see cref="Auto"/> takes BF16 where the device computes it faster than F32, else F32.</summary>
public enum Precision { Auto, F32, BF16, F16 }

/// <summary>A union: exactly one member is set.</summary>
public sealed record Objective
{
    public GenerationObjective? Generation { get; init; }
    public ClassificationObjective? Classification { get; init; }
}

/// <summary>Text is written: the model's own head predicts the next token.</summary>

public sealed record GenerationObjective(LearnFrom LearnFrom = LearnFrom.Completion);

/// <summary>
/// A text gets one of several labels (Transformers' <c>AutoModelForSequenceClassification</c>): a linear head reads the hidden state of
/// the text's last token. The head is new, and trains whatever the method.
/// </summary>
/// <param name="Labels">Exactly these, in this order, which is that of the head's rows. Null: those found in the training rows, sorted.</param>
public sealed record ClassificationObjective(IReadOnlyList<string>? Labels = null);

/// <summary>Which tokens carry loss: the answers only, or the whole text.</summary>
public enum LearnFrom { Completion, All }

/// <param name="MaxLength">Longest example in tokens; longer ones are cut at the end and counted. A text file is learnt in windows of it.</param>
public sealed record DataInput(IReadOnlyList<DataSource> Train, ValidationData? Validation = null, int MaxLength = 1024);

/// <param name="Source">As the person wrote it; recorded in the artifact.</param>
/// <param name="Path">One file. Empty: <paramref name="Source"/> is fetched (<see cref="SourceUri"/>).</param>
/// <param name="Credentials">As in <see cref="ModelInput"/>.</param>
public sealed record DataSource(
    string Source, string Path = "", DataFormat Format = DataFormat.Auto, DataColumns? Columns = null, string? Credentials = null);

/// <summary><see cref="Auto"/> goes by the file's ending: <c>.jsonl</c>, <c>.csv</c>, <c>.txt</c> (one text a file).</summary>
public enum DataFormat { Auto, JsonLines, Csv, Text }

/// <summary>
/// Which columns hold what. To generate: either a prompt with its completion, or chat messages, or plain text; without any, the names
/// <c>prompt</c>/<c>completion</c>, <c>messages</c> and <c>text</c> are looked for in that order. To classify: a text with its label;
/// without any, <c>text</c> and <c>label</c>.
/// </summary>
public sealed record DataColumns(
    string? Prompt = null, string? Completion = null, string? Messages = null, string? Text = null, string? Label = null);

/// <summary>A union: exactly one member is set.</summary>
public sealed record ValidationData
{
    public ValidationSplit? Split { get; init; }
    public IReadOnlyList<DataSource>? Sources { get; init; }
}

/// <param name="Fraction">Share of the training rows held out, drawn with the run's seed; between 0 and 1, both excluded.</param>
public sealed record ValidationSplit(double Fraction);

/// <param name="BatchSize">Examples per optimizer step.</param>
/// <param name="MicroBatchSize">Examples that pass through the model at once; gradients are accumulated up to <paramref name="BatchSize"/>. Null: chosen by the trainer.</param>
/// <param name="LearningRate">Null: chosen by the method.</param>
/// <param name="MaxGradNorm">Gradients are scaled down to this L2 norm over all trainable tensors.</param>
/// <param name="Shuffle">False keeps the rows in the order of the file: for reproducing somebody's recipe.</param>
public sealed record TrainingPlan(
    TrainingDuration Duration,
    Optimizer Optimizer,
    Schedule Schedule,
    int BatchSize = 32,
    int? MicroBatchSize = null,
    double? LearningRate = null,
    double MaxGradNorm = 1,
    long Seed = 0,
    bool Shuffle = true);

/// <summary>A union: exactly one member is set.</summary>
public sealed record TrainingDuration
{
    public double? Epochs { get; init; }
    public int? Steps { get; init; }
}

/// <summary>A union: exactly one member is set.</summary>
public sealed record Optimizer
{
    public AdamW? Adamw { get; init; }
}

/// <summary>Decoupled weight decay (Loshchilov and Hutter 2017, arXiv:1711.05101).</summary>
public sealed record AdamW(double WeightDecay = 0, double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8);

/// <summary>A union: exactly one member is set. How the learning rate falls after its warm-up: to zero along a cosine, to zero on a line, not at all.</summary>
public sealed record Schedule
{
    public Warmup? Cosine { get; init; }
    public Warmup? Linear { get; init; }
    public Warmup? Constant { get; init; }
}

/// <summary>Steps over which the learning rate rises from zero; a number of steps, or a share of all of them, not both.</summary>
public sealed record Warmup
{
    public int? WarmupSteps { get; init; }
    public double? WarmupFraction { get; init; }
}

/// <param name="Metrics">What is computed on the validation rows after training, and before it for the base model.</param>
/// <param name="MaxRows">At most so many validation rows.</param>
public sealed record EvaluationPlan(IReadOnlyList<Metric> Metrics, int MaxRows = 256);

/// <summary>
/// <see cref="Loss"/>: mean per supervised token or label, in nats. <see cref="ExactMatch"/>, of generation: share of rows whose greedy
/// completion equals the reference after trimming white space. <see cref="Accuracy"/>, of classification: share of rows whose likeliest
/// label is the right one.
/// </summary>
public enum Metric { Loss, ExactMatch, Accuracy }

/// <param name="Path">Folder that will be the artifact. It appears complete or not at all.</param>
/// <param name="Uri">What other people call that folder (<c>pvc://claim/path</c>).</param>
public sealed record OutputTarget(string Path, string Uri);
