using Graft.Contract;

namespace Graft.Trainer.Jobs;

/// <summary>What is learnt, and by what it is judged.</summary>
internal static class ObjectiveChecks
{
    // A row of the head for each; far more are a question for retrieval.
    private const int MaxLabels = 4096;

    public static void Check(TrainingJob job, JobErrors errors)
    {
        errors.Union("objective", ("generation", job.Objective.Generation), ("classification", job.Objective.Classification));
        if (job.Objective.Classification?.Labels is { } labels) errors.Names(labels, 2, MaxLabels, "objective.classification.labels");
        if (job.Evaluation is { } evaluation) Evaluation(evaluation, job, errors);
    }

    private static void Evaluation(EvaluationPlan evaluation, TrainingJob job, JobErrors errors)
    {
        errors.Check(job.Data.Validation is not null, "evaluation", "needs rows to evaluate on: set data.validation");
        errors.Check(evaluation.Metrics.Count > 0, "evaluation.metrics", "name at least one of Loss, ExactMatch, Accuracy");
        errors.Distinct(evaluation.Metrics, "evaluation.metrics");
        errors.Check(job.Objective.Classification is not null || !evaluation.Metrics.Contains(Metric.Accuracy), "evaluation.metrics",
            "Accuracy needs objective.classification; what is generated is judged by ExactMatch");
        errors.Check(job.Objective.Generation is not null || !evaluation.Metrics.Contains(Metric.ExactMatch), "evaluation.metrics",
            "ExactMatch needs objective.generation; labels are judged by Accuracy");
        errors.Between<int>(evaluation.MaxRows, 1, 1_000_000, "evaluation.maxRows");
    }
}
