using Graft.Operator.Api;

namespace Graft.Operator.Local;

/// <summary>How the applied resources stand at one moment.</summary>
internal sealed record LocalSnapshot(
    IReadOnlyList<FineTuneJob> Runs, IReadOnlyList<AdapterDeployment> Deployments, IReadOnlyList<string> PodProblems)
{
    /// <summary>Everything has come to a good end.</summary>
    public bool IsDone =>
        Runs.All(r => r.Status?.Conditions.IsTrue(ConditionTypes.Succeeded) == true)
        && Deployments.All(d => d.Status?.Conditions.IsTrue(ConditionTypes.Ready) == true
            && d.Status.ObservedGeneration == d.Metadata.Generation);

    /// <summary>What failed for good, as the condition says it; null while there is hope.</summary>
    public string? Failure =>
        Runs.Select(r => Stalled("FineTuneJob", r.Metadata.Name, r.Status?.Conditions)).FirstOrDefault(f => f is not null)
        ?? Deployments.Select(d => Stalled("AdapterDeployment", d.Metadata.Name, d.Status?.Conditions)).FirstOrDefault(f => f is not null);

    private static string? Stalled(string kind, string name, IEnumerable<k8s.Models.V1Condition>? conditions) =>
        conditions.Find(ConditionTypes.Stalled) is { Status: "True" } stalled
            ? $"{kind} {name}: {stalled.Reason}: {stalled.Message}"
            : null;
}
