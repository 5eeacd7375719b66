using k8s.Models;

namespace Graft.LocalCluster.Controllers.Jobs;

internal enum FailureAction { Count, Ignore, FailIndex, FailJob }

/// <param name="Message">Why, for <see cref="FailureAction.FailJob"/>.</param>
internal sealed record FailureVerdict(FailureAction Action, string? Message = null);

/// <summary>A Job's <c>podFailurePolicy</c> (KEP-3329): the first rule that matches a failed pod decides what the failure means.</summary>
internal static class PodFailureRules
{
    private static readonly FailureVerdict Counted = new(FailureAction.Count);

    public static FailureVerdict Judge(V1PodFailurePolicy? policy, V1Pod pod)
    {
        for (var i = 0; i < (policy?.Rules.Count ?? 0); i++)
        {
            var rule = policy!.Rules[i];
            var what = rule.OnExitCodes is { } codes ? MatchExitCode(codes, pod) : MatchCondition(rule.OnPodConditions, pod);
            if (what is null) continue;
            return rule.Action switch
            {
                "FailJob" => new FailureVerdict(FailureAction.FailJob, $"{what} matching FailJob rule at index {i}"),
                "FailIndex" => new FailureVerdict(FailureAction.FailIndex),
                "Ignore" => new FailureVerdict(FailureAction.Ignore),
                _ => Counted,
            };
        }
        return Counted;
    }

    private static string? MatchExitCode(V1PodFailurePolicyOnExitCodesRequirement codes, V1Pod pod)
    {
        foreach (var container in (pod.Status?.ContainerStatuses ?? []).Concat(pod.Status?.InitContainerStatuses ?? []))
        {
            if (codes.ContainerName is { Length: > 0 } name && name != container.Name) continue;
            if (container.State?.Terminated is not { ExitCode: not 0 and var code }) continue;
            if (codes.Values.Contains(code) == (codes.OperatorProperty == "In"))
                return $"Container {container.Name} for pod {pod.Metadata.NamespaceProperty}/{pod.Metadata.Name} failed with exit code {code}";
        }
        return null;
    }

    private static string? MatchCondition(IList<V1PodFailurePolicyOnPodConditionsPattern>? patterns, V1Pod pod)
    {
        foreach (var pattern in patterns ?? [])
        {
            if (Pods.Condition(pod, pattern.Type)?.Status == (pattern.Status ?? "True"))
                return $"Pod {pod.Metadata.NamespaceProperty}/{pod.Metadata.Name} has condition {pattern.Type}";
        }
        return null;
    }
}
