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
[ValidationRule(
    "!has(self.evaluation) || has(self.objective.classification) || self.evaluation.metrics.all(m, m != 'Accuracy')",
    message: "evaluation.metrics: Accuracy needs objective.classification")]
[ValidationRule(
    "!has(self.evaluation) || has(self.objective.generation) || self.evaluation.metrics.all(m, m != 'ExactMatch')",
    message: "evaluation.metrics: ExactMatch needs objective.generation")]
[ValidationRule(
    "self.data.train.all(d, !has(d.columns) || has(d.columns.label) == has(self.objective.classification))"
    + " && (!has(self.data.validation) || !has(self.data.validation.sources)"
    + " || self.data.validation.sources.all(d, !has(d.columns) || has(d.columns.label) == has(self.objective.classification)))",
    message: "columns of data: objective.classification learns from text and label, and nothing else has a label")]
[ValidationRule(
    "[has(self.method.promptTuning)"
    + " ? (has(self.method.promptTuning.virtualTokens) ? self.method.promptTuning.virtualTokens : 20) : 0,"
    + " has(self.method.pTuning) ? (has(self.method.pTuning.virtualTokens) ? self.method.pTuning.virtualTokens : 20) : 0,"
    + " has(self.method.prefixTuning)"
    + " ? (has(self.method.prefixTuning.virtualTokens) ? self.method.prefixTuning.virtualTokens : 20) : 0]"
    + ".all(t, t < self.data.maxLength - 1)",
    message: "virtualTokens (20 when absent) are fewer than data.maxLength less 1: more leave no room for text")]
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
