using Graft.Contract;
using Graft.Operator.Api;

namespace Graft.Operator.FineTuning;

/// <summary>What a run's result says of its artifact, into the FineTuneJob's status and back.</summary>
internal static class ArtifactFacts
{
    public static ArtifactStatus Status(ArtifactSummary artifact)
    {
        var facts = artifact.Facts;
        var isLora = facts.Method == "lora";
        return new()
        {
            Uri = artifact.Uri,
            Digest = artifact.Digest,
            Bytes = artifact.Bytes,
            Kind = artifact.Kind.ToString(),
            Method = facts.Method,
            Rank = facts.Rank,
            MaxRank = facts.MaxRank,
            Alpha = facts.Alpha,
            RsLora = isLora ? facts.RsLora : null,
            HasPatterns = isLora ? facts.HasPatterns : null,
            Dora = isLora ? facts.Dora : null,
            Bias = facts.Bias,
            ModulesToSave = facts.ModulesToSave.Count == 0 ? null : [.. facts.ModulesToSave.Take(ArtifactStatus.MaxModules)],
            VirtualTokens = facts.VirtualTokens,
            Mergeable = facts.Mergeable,
            Targets = [.. facts.Targets.Take(ArtifactStatus.MaxModules)],
            Dtype = facts.Dtype,
            TrainableParameters = facts.TrainableParameters,
            WeightBytes = facts.Bytes,
            BaseDigest = facts.BaseDigest,
            ModelType = facts.ModelType,
            Task = facts.Task,
            Metrics = artifact.Metrics.Count == 0
                ? null
                : new SortedDictionary<string, double>(artifact.Metrics.ToDictionary(), StringComparer.Ordinal),
        };
    }

    /// <returns>Null where the status was written by an operator that did not keep the facts.</returns>
    public static AdapterFacts? Of(ArtifactStatus artifact) => artifact.Dtype is not { } dtype ? null : new()
    {
        Method = artifact.Method,
        Rank = artifact.Rank,
        MaxRank = artifact.MaxRank,
        Alpha = artifact.Alpha,
        RsLora = artifact.RsLora == true,
        HasPatterns = artifact.HasPatterns == true,
        Dora = artifact.Dora == true,
        Bias = artifact.Bias,
        ModulesToSave = [.. artifact.ModulesToSave ?? []],
        VirtualTokens = artifact.VirtualTokens,
        Mergeable = artifact.Mergeable == true,
        Targets = [.. artifact.Targets ?? []],
        Dtype = dtype,
        TrainableParameters = artifact.TrainableParameters ?? 0,
        Bytes = artifact.WeightBytes ?? 0,
        BaseDigest = artifact.BaseDigest,
        ModelType = artifact.ModelType,
        Task = artifact.Task,
    };
}
