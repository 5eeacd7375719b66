using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>Label selectors as objects write them (apimachinery, LabelSelectorAsSelector).</summary>
internal static class LabelSelectors
{
    /// <summary>No selector matches nothing; an empty one matches everything.</summary>
    public static bool Matches(V1LabelSelector? selector, IDictionary<string, string>? labels) => selector is not null
        && (selector.MatchLabels ?? new Dictionary<string, string>()).All(l => labels?.TryGetValue(l.Key, out var value) == true && value == l.Value)
        && (selector.MatchExpressions ?? []).All(r => Holds(r, labels?.TryGetValue(r.Key, out var value) == true ? value : null));

    private static bool Holds(V1LabelSelectorRequirement requirement, string? value) => requirement.OperatorProperty switch
    {
        "In" => value is not null && requirement.Values.Contains(value),
        "NotIn" => value is null || !requirement.Values.Contains(value),
        "Exists" => value is not null,
        "DoesNotExist" => value is null,
        _ => false,
    };
}
