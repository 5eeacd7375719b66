using Graft.Contract;

namespace Graft.Trainer.Jobs;

internal static class MethodChecks
{
    public const int MaxModules = 256;

    public static void Check(TrainingJob job, JobErrors errors)
    {
        var method = job.Method;
        errors.Union("method", ("lora", method.Lora), ("promptTuning", method.PromptTuning), ("pTuning", method.PTuning),
            ("prefixTuning", method.PrefixTuning), ("bottleneck", method.Bottleneck), ("ia3", method.Ia3), ("full", method.Full));
        if (method.Lora is { } lora) LoraChecks.Check(lora, errors);
        SoftPromptChecks.Check(method, job.Data.MaxLength, errors);
        if (method.Ia3?.Targets is { } targets) Ia3(targets, errors);
        if (method.Bottleneck is { } bottleneck) Bottleneck(bottleneck, errors);
    }

    private static void Ia3(Ia3Targets targets, JobErrors errors)
    {
        errors.Names(targets.Modules, 1, MaxModules, "method.ia3.targets.modules");
        errors.Names(targets.FeedForward, 0, MaxModules, "method.ia3.targets.feedForward");
        var strange = targets.FeedForward.Except(targets.Modules).ToList();
        errors.Check(strange.Count == 0, "method.ia3.targets.feedForward",
            $"names {string.Join(", ", strange)}, which method.ia3.targets.modules does not; it must be a part of those");
    }

    private static void Bottleneck(BottleneckMethod bottleneck, JobErrors errors)
    {
        errors.Between(bottleneck.ReductionFactor, 1.0, 65536.0, "method.bottleneck.reductionFactor");
        errors.Above(bottleneck.Scaling, 0, "method.bottleneck.scaling");
        errors.Probability(bottleneck.Dropout, "method.bottleneck.dropout");
    }
}
