using k8s.Models;

namespace Graft.LocalCluster.Controllers.Jobs;

/// <summary>A Job's <c>successPolicy</c> (KEP-3998): the indexes whose success is enough.</summary>
internal static class SuccessRules
{
    /// <returns>The message of the condition; null while no rule is met.</returns>
    public static string? Judge(V1Job job, IReadOnlySet<int> completed)
    {
        for (var i = 0; i < (job.Spec.SuccessPolicy?.Rules.Count ?? 0); i++)
        {
            if (IsMet(job.Spec.SuccessPolicy!.Rules[i], completed, job.Spec.Completions ?? 0)) return $"Matched rules at index {i}";
        }
        return null;
    }

    private static bool IsMet(V1SuccessPolicyRule rule, IReadOnlySet<int> completed, int completions)
    {
        if (rule.SucceededIndexes is null) return completed.Count >= rule.SucceededCount;
        var wanted = JobIndexes.Parse(rule.SucceededIndexes, completions);
        return wanted.Count(completed.Contains) >= (rule.SucceededCount ?? wanted.Count);
    }
}
