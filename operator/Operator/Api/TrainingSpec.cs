using Graft.Runtime;

namespace Graft.Operator.Api;

[ValidationRule("!has(self.microBatchSize) || self.microBatchSize <= self.batchSize", message: "microBatchSize is at most batchSize")]
internal sealed record TrainingSpec
{
    [DefaultValue(Json = """{"epochs": 3}"""), Description("How long. Exactly one member.")]
    public DurationSpec Duration { get; init; } = DurationSpec.Default;

    [DefaultValue(32), RangeMinimum(1), RangeMaximum(65536), Description("Examples per optimizer step.")]
    public int BatchSize { get; init; } = 32;

    [RangeMinimum(1), RangeMaximum(65536)]
    [Description("Examples that pass through the model at once; gradients add up to batchSize."
        + " Absent: chosen by the trainer, see status.resolved.")]
    public int? MicroBatchSize { get; init; }

    [RangeMinimum(0), RangeMaximum(10)]
    [Description("Highest learning rate. Absent: chosen by the method, see status.resolved.")]
    public double? LearningRate { get; init; }

    [DefaultValue(Json = """{"adamw": {"weightDecay": 0}}"""), Description("How gradients become steps. Exactly one member.")]
    public OptimizerSpec Optimizer { get; init; } = OptimizerSpec.Default;

    [DefaultValue(Json = """{"cosine": {"warmupFraction": 0.03}}"""), Description("How the learning rate moves. Exactly one member.")]
    public ScheduleSpec Schedule { get; init; } = ScheduleSpec.Default;

    [DefaultValue(1.0), RangeMinimum(0, exclusiveMinimum: true), RangeMaximum(1000000)]
    [Description("Gradients are scaled down to this L2 norm over all trainable tensors.")]
    public double MaxGradNorm { get; init; } = 1;

    [DefaultValue(0), RangeMinimum(0), RangeMaximum(9007199254740991), Description("Seed of everything random in the run.")]
    public long Seed { get; init; }
}

[ValidationRule("has(self.epochs) != has(self.steps)", message: "exactly one of: epochs, steps")]
internal sealed record DurationSpec
{
    public static DurationSpec Default => new() { Epochs = 3 };

    [RangeMinimum(0, exclusiveMinimum: true), RangeMaximum(100000), Description("Passes over the training rows.")]
    public double? Epochs { get; init; }

    [RangeMinimum(1), RangeMaximum(100000000), Description("Optimizer steps.")]
    public int? Steps { get; init; }
}

[ValidationRule("has(self.adamw)", message: "exactly one of: adamw")]
internal sealed record OptimizerSpec
{
    public static OptimizerSpec Default => new() { Adamw = new() { WeightDecay = 0 } };

    [Description("AdamW: decoupled weight decay.")]
    public AdamwSpec? Adamw { get; init; }
}

internal sealed record AdamwSpec
{
    [RangeMinimum(0), RangeMaximum(10), Description("Absent: 0.")]
    public double? WeightDecay { get; init; }
}

[ValidationRule(
    "(has(self.cosine) && !has(self.linear) && !has(self.constant))"
    + " || (!has(self.cosine) && has(self.linear) && !has(self.constant))"
    + " || (!has(self.cosine) && !has(self.linear) && has(self.constant))",
    message: "exactly one of: cosine, linear, constant")]
internal sealed record ScheduleSpec
{
    public static ScheduleSpec Default => new() { Cosine = new() { WarmupFraction = 0.03 } };

    [Description("To zero along a cosine.")]
    public WarmupSpec? Cosine { get; init; }

    [Description("To zero on a line.")]
    public WarmupSpec? Linear { get; init; }

    [Description("Not at all.")]
    public WarmupSpec? Constant { get; init; }
}

[ValidationRule("!has(self.warmupSteps) || !has(self.warmupFraction)", message: "at most one of: warmupSteps, warmupFraction")]
internal sealed record WarmupSpec
{
    [RangeMinimum(0), RangeMaximum(100000000), Description("Steps over which the learning rate rises from zero.")]
    public int? WarmupSteps { get; init; }

    [RangeMinimum(0), RangeMaximum(1), Description("The same as a share of all steps.")]
    public double? WarmupFraction { get; init; }
}
