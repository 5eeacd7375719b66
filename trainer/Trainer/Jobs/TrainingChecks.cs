using Graft.Contract;

namespace Graft.Trainer.Jobs;

internal static class TrainingChecks
{
    private const int MaxSteps = 100_000_000;

    public static void Check(TrainingPlan plan, JobErrors errors)
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
        errors.Above(plan.MaxGradNorm, 0, "training.maxGradNorm");
        errors.Between(plan.Seed, 0L, long.MaxValue, "training.seed");
    }

    private static void AdamW(AdamW adamw, JobErrors errors)
    {
        errors.Check(adamw.WeightDecay is >= 0 and < 100, "training.optimizer.adamw.weightDecay",
            $"is {adamw.WeightDecay}; must be at least 0 and below 100");
        errors.Probability(adamw.Beta1, "training.optimizer.adamw.beta1");
        errors.Probability(adamw.Beta2, "training.optimizer.adamw.beta2");
        errors.Check(adamw.Epsilon is > 0 and < 1, "training.optimizer.adamw.epsilon", $"is {adamw.Epsilon}; must be above 0 and below 1");
    }

    private static void Warmup(Warmup? warmup, string field, JobErrors errors)
    {
        if (warmup is null) return;
        errors.Check(warmup.WarmupSteps is null || warmup.WarmupFraction is null, field, "set warmupSteps or warmupFraction, not both");
        errors.Between(warmup.WarmupSteps, 0, MaxSteps, $"{field}.warmupSteps");
        errors.Between(warmup.WarmupFraction, 0.0, 1.0, $"{field}.warmupFraction");
    }
}
