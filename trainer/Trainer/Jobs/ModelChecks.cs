using Graft.Contract;

namespace Graft.Trainer.Jobs;

internal static class ModelChecks
{
    public static void Check(TrainingJob job, JobErrors errors)
    {
        errors.NotBlank(job.Model.Source, "model.source");
        DataChecks.Place(job.Model.Source, job.Model.Path, "model", errors);
        errors.Check(!job.Model.RandomWeights || job.Method.Full is not null, "model.randomWeights",
            "needs method.full: an adapter on random weights learns nothing");
        if (job.Model.Quantization is not { } quantization) return;
        errors.Union("model.quantization", ("nf4", quantization.Nf4), ("none", quantization.None));
        if (quantization.Nf4 is null) return;
        errors.Check(job.Method.Full is null, "model.quantization.nf4", "is for a frozen base; method.full trains the weights themselves");
        errors.Check(!job.Model.RandomWeights, "model.quantization.nf4", "is for trained weights, not for model.randomWeights");
    }
}
