using System.Text.Json.Serialization;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.Api;

/// <summary>One fine-tuning run: a base model, data and a method go in, an artifact comes out.</summary>
[KubernetesEntity(Group = ApiNames.Group, ApiVersion = ApiNames.Version, Kind = "FineTuneJob", PluralName = "finetunejobs")]
[KubernetesEntityShortNames("ftj"), KubernetesEntityCategories(ApiNames.Category)]
[Description("One fine-tuning run. It runs once; a new run is a new name.")]
[GenericAdditionalPrinterColumn(".status.method", "Method", "string")]
[GenericAdditionalPrinterColumn(".status.phase", "Phase", "string")]
[GenericAdditionalPrinterColumn(".status.progress.percent", "Progress", "integer")]
[GenericAdditionalPrinterColumn(".status.progress.loss", "Loss", "string")]
[GenericAdditionalPrinterColumn(".status.progress.remaining", "ETA", "string")]
[GenericAdditionalPrinterColumn(".status.gpu", "GPU", "string", Priority = PrinterColumnPriority.WideView)]
[GenericAdditionalPrinterColumn(".status.attempts[0].number", "Attempts", "integer", Priority = PrinterColumnPriority.WideView)]
[GenericAdditionalPrinterColumn(".status.artifact.uri", "Artifact", "string", Priority = PrinterColumnPriority.WideView)]
[GenericAdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
internal sealed class FineTuneJob : CustomKubernetesEntity<FineTuneJobSpec, FineTuneJobStatus>;

[ValidationRule("self.model == oldSelf.model", message: "model cannot change: a new run is a new FineTuneJob")]
[ValidationRule("self.objective == oldSelf.objective", message: "objective cannot change: a new run is a new FineTuneJob")]
[ValidationRule("self.data == oldSelf.data", message: "data cannot change: a new run is a new FineTuneJob")]
[ValidationRule("self.method == oldSelf.method", message: "method cannot change: a new run is a new FineTuneJob")]
[ValidationRule("self.training == oldSelf.training", message: "training cannot change: a new run is a new FineTuneJob")]
[ValidationRule("has(self.evaluation) == has(oldSelf.evaluation) && (!has(self.evaluation) || self.evaluation == oldSelf.evaluation)",
    message: "evaluation cannot change: a new run is a new FineTuneJob")]
[ValidationRule("has(self.resources) == has(oldSelf.resources) && (!has(self.resources) || self.resources == oldSelf.resources)",
    message: "resources cannot change: a new run is a new FineTuneJob")]
[ValidationRule("self.output == oldSelf.output", message: "output cannot change: a new run is a new FineTuneJob")]
[ValidationRule("self.retries == oldSelf.retries", message: "retries cannot change: a new run is a new FineTuneJob")]
[ValidationRule(
    "has(self.activeDeadline) == has(oldSelf.activeDeadline)"
    + " && (!has(self.activeDeadline) || self.activeDeadline == oldSelf.activeDeadline)",
    message: "activeDeadline cannot change: a new run is a new FineTuneJob")]
[ValidationRule("has(self.trainer) == has(oldSelf.trainer) && (!has(self.trainer) || self.trainer == oldSelf.trainer)",
    message: "trainer cannot change: a new run is a new FineTuneJob")]
[ValidationRule("!has(self.evaluation) || has(self.data.validation)", message: "evaluation needs data.validation: rows to evaluate on")]
[ValidationRule("!has(self.model.quantization) || !has(self.model.quantization.nf4) || !has(self.method.full)",
    message: "model.quantization.nf4 is for a frozen base; method.full trains the weights themselves")]
internal sealed record FineTuneJobSpec
{
    [Required, Description("The base model.")]
    public ModelSpec Model { get; init; } = new();

    [DefaultValue(Json = """{"generation": {"learnFrom": "Completion"}}""")]
    [Description("What the model learns to do. Exactly one member.")]
    public ObjectiveSpec Objective { get; init; } = ObjectiveSpec.Default;

    [Required, Description("What it learns from.")]
    public DataSpec Data { get; init; } = new();

    [Required, Description("Which weights train, and how. Exactly one member.")]
    public MethodSpec Method { get; init; } = new();

    [DefaultValue(Json = "{}")]
    [Description("How it trains.")]
    public TrainingSpec Training { get; init; } = new();

    [Description("What is computed on the validation rows, before training and after it. Absent: the loss, where there are such rows.")]
    public EvaluationSpec? Evaluation { get; init; }

    [Description("What the trainer's container asks for. Absent: whatever the node has, without a GPU.")]
    public ResourcesSpec? Resources { get; init; }

    [Required, Description("Where the artifact goes. Exactly one member.")]
    public OutputSpec Output { get; init; } = new();

    [DefaultValue(Json = "{}")]
    [Description("Further attempts by who is at fault. A person's error (data, model, job) is never tried again.")]
    public RetriesSpec Retries { get; init; } = new();

    [Description("Longest run time, added up across resumes."), Length(2, 32), Duration]
    public string? ActiveDeadline { get; init; }

    [DefaultValue(false), Description("True stops the run and keeps the object; false starts it again.")]
    public bool Suspend { get; init; }

    [Description("How long the object is kept after its run ended. Absent: until somebody deletes it. Artifacts always stay.")]
    public TtlSpec? TtlAfterFinished { get; init; }

    [Description("The program that trains.")]
    public TrainerSpec? Trainer { get; init; }
}

internal sealed record ModelSpec
{
    [Required, Length(1, 1024)]
    [Description(SourceTexts.Model)]
    public string Source { get; init; } = "";

    [Description(SourceTexts.Credentials)]
    public SecretRef? CredentialsRef { get; init; }

    [Description(SourceTexts.Cache)]
    public CacheSpec? Cache { get; init; }

    [DefaultValue("Auto"), Description("Arithmetic of the base model. Auto: BF16 where the device computes it faster, else F32.")]
    public ModelPrecision Precision { get; init; }

    [Description("How the frozen base is kept in memory. Exactly one member. Absent: as its file has it, quantised or not.")]
    public QuantizationSpec? Quantization { get; init; }
}

[ValidationRule("has(self.nf4) != has(self.none)", message: "exactly one of: nf4, none")]
internal sealed record QuantizationSpec
{
    [Description("Linear layers are quantised to QLoRA's four-bit NormalFloat as they are loaded.")]
    public Nf4Spec? Nf4 { get; init; }

    [Description("The weights of a quantised file are widened as they are loaded: faster, in several times the memory.")]
    public NoQuantizationSpec? None { get; init; }
}

internal sealed record Nf4Spec
{
    [Description("The scales are quantised too, which saves 0.37 bits a weight. Absent: true.")]
    public bool? DoubleQuant { get; init; }
}

internal sealed record NoQuantizationSpec;

[JsonConverter(typeof(JsonStringEnumConverter<ModelPrecision>))]
internal enum ModelPrecision { Auto, F32, BF16, F16 }

[ValidationRule("has(self.generation)", message: "exactly one of: generation")]
internal sealed record ObjectiveSpec
{
    public static ObjectiveSpec Default => new() { Generation = new() };

    [Description("Generate text.")]
    public GenerationSpec? Generation { get; init; }
}

internal sealed record GenerationSpec
{
    [Description("Which tokens carry loss: Completion (the answers only, also when absent) or All.")]
    public GenerationTokens? LearnFrom { get; init; }
}

[JsonConverter(typeof(JsonStringEnumConverter<GenerationTokens>))]
internal enum GenerationTokens { Completion, All }

internal sealed record DataSpec
{
    [Required, Items(1, 32), Description("Files to learn from.")]
    public IList<DataSourceSpec> Train { get; init; } = [];

    [Description("Rows that are held back from training. Exactly one member. Absent: none.")]
    public ValidationSpec? Validation { get; init; }

    [DefaultValue(1024), RangeMinimum(8), RangeMaximum(1048576)]
    [Description("Longest example in tokens; longer ones are cut at the end, and counted.")]
    public int MaxLength { get; init; } = 1024;
}

internal sealed record DataSourceSpec
{
    [Required, Length(1, 1024)]
    [Description(
        "One file: pvc://CLAIM/PATH, s3://BUCKET/KEY, hf://ORG/MODEL@REVISION/PATH, oci://HOST/REPOSITORY@sha256:DIGEST with one layer,"
        + " or on one machine only file:///PATH or file://./PATH.")]
    public string Source { get; init; } = "";

    [Description(SourceTexts.Credentials)]
    public SecretRef? CredentialsRef { get; init; }

    // No default in the schema: one inside a list item is a difference that client-side tools see for ever.
    [Description("Auto, also when absent, goes by the file's ending: .jsonl, .csv, .txt (one text a file).")]
    public DataFileFormat? Format { get; init; }

    [Description("Which columns hold what. Absent: prompt and completion, messages, or text, whichever the file has.")]
    public ColumnsSpec? Columns { get; init; }
}

[JsonConverter(typeof(JsonStringEnumConverter<DataFileFormat>))]
internal enum DataFileFormat { Auto, JsonLines, Csv, Text }

[ValidationRule(
    "(has(self.prompt) && has(self.completion) && !has(self.messages) && !has(self.text))"
    + " || (!has(self.prompt) && !has(self.completion) && has(self.messages) && !has(self.text))"
    + " || (!has(self.prompt) && !has(self.completion) && !has(self.messages) && has(self.text))",
    message: "either prompt with completion, or messages, or text")]
internal sealed record ColumnsSpec
{
    [Length(1, 128), Description("What is asked.")]
    public string? Prompt { get; init; }

    [Length(1, 128), Description("What is answered.")]
    public string? Completion { get; init; }

    [Length(1, 128), Description("A chat: a list of role and content.")]
    public string? Messages { get; init; }

    [Length(1, 128), Description("Plain text.")]
    public string? Text { get; init; }
}

[ValidationRule("has(self.split) != has(self.sources)", message: "exactly one of: split, sources")]
internal sealed record ValidationSpec
{
    [Description("Hold back a share of the training rows, drawn with the run's seed.")]
    public SplitSpec? Split { get; init; }

    [Items(1, 32), Description("Files of their own.")]
    public IList<DataSourceSpec>? Sources { get; init; }
}

internal sealed record SplitSpec
{
    [Required, RangeMinimum(0, exclusiveMinimum: true), RangeMaximum(1, exclusiveMaximum: true)]
    [Description("Share of the rows, between 0 and 1, both excluded.")]
    public double Fraction { get; init; }
}

[ValidationRule("has(self.lora) != has(self.full)", message: "exactly one of: lora, full")]
internal sealed record MethodSpec
{
    [Description("Low-rank adaptation: a small adapter beside the frozen base model.")]
    public LoraSpec? Lora { get; init; }

    [Description("Every weight of the model trains; the artifact is a whole model.")]
    public FullSpec? Full { get; init; }

    /// <summary>The member that is set, as it is printed; null when it is not exactly one.</summary>
    [JsonIgnore, Ignore]
    public string? Name => (Lora, Full) switch { (not null, null) => "lora", (null, not null) => "full", _ => null };
}

internal sealed record LoraSpec
{
    [RangeMinimum(1), RangeMaximum(512), Description("Rank of the update. Absent: 8.")]
    public int? Rank { get; init; }

    [RangeMinimum(0, exclusiveMinimum: true), RangeMaximum(65536), Description("The update counts alpha / rank times. Absent: 16.")]
    public double? Alpha { get; init; }

    [RangeMinimum(0), RangeMaximum(1, exclusiveMaximum: true)]
    [Description("Probability of leaving out an input element of the update while training. Absent: 0.")]
    public double? Dropout { get; init; }

    [Description("Which linear layers get an update. Exactly one member. Absent: all of the blocks.")]
    public TargetsSpec? Targets { get; init; }

    [Description("Scale by alpha / sqrt(rank) instead. Absent: false.")]
    public bool? RsLora { get; init; }
}

[ValidationRule("has(self.allLinear) != has(self.modules)", message: "exactly one of: allLinear, modules")]
internal sealed record TargetsSpec
{
    [Description("Every linear layer of the blocks; not the embedding and not the output head.")]
    public AllLinearSpec? AllLinear { get; init; }

    [Items(1, 64), Length(1, 256), Description("Module names by their last part (q_proj) or any longer suffix.")]
    public IList<string>? Modules { get; init; }
}

internal sealed record AllLinearSpec;

internal sealed record FullSpec;

internal sealed record EvaluationSpec
{
    [Required, Items(1, 8)]
    [Description("Loss: mean per supervised token. ExactMatch: share of rows whose greedy answer equals the reference.")]
    public IList<EvaluationMetric> Metrics { get; init; } = [];
}

[JsonConverter(typeof(JsonStringEnumConverter<EvaluationMetric>))]
internal enum EvaluationMetric { Loss, ExactMatch }

[ValidationRule("has(self.pvc)", message: "exactly one of: pvc")]
internal sealed record OutputSpec
{
    [Description("A PersistentVolumeClaim of this namespace.")]
    public PvcSpec? Pvc { get; init; }
}

internal sealed record PvcSpec
{
    [Required, Length(1, 253), Pattern(NamePatterns.Subdomain), Description("Its name.")]
    public string ClaimName { get; init; } = "";
}

internal sealed record RetriesSpec
{
    [DefaultValue(Json = """{"limit": 3}"""), Description("The machine's fault: a node lost, a port in use, a process killed.")]
    public RetryLimitSpec Infrastructure { get; init; } = new();
}

internal sealed record RetryLimitSpec
{
    [DefaultValue(3), RangeMinimum(0), RangeMaximum(10), Description("Further attempts after the first.")]
    public int Limit { get; init; } = 3;
}

internal sealed record TtlSpec
{
    [Length(2, 32), Duration, Description("After success. Absent: kept.")]
    public string? Succeeded { get; init; }

    [Length(2, 32), Duration, Description("After a final failure. Absent: kept.")]
    public string? Failed { get; init; }
}

internal sealed record TrainerSpec
{
    [Length(1, 512), Description("Image of a container that honours the contract. Absent: the operator's.")]
    public string? Image { get; init; }
}
