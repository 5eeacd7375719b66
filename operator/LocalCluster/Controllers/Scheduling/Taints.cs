using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>Taints of nodes and the tolerations of pods (k8s.io/api/core/v1, Toleration.ToleratesTaint).</summary>
internal static class Taints
{
    public const string Unschedulable = "node.kubernetes.io/unschedulable";
    public const string NotReady = "node.kubernetes.io/not-ready";
    public const string Unreachable = "node.kubernetes.io/unreachable";

    public static bool Tolerates(V1Toleration toleration, V1Taint taint)
    {
        if (toleration.Effect is { Length: > 0 } effect && effect != taint.Effect) return false;
        if (toleration.Key is { Length: > 0 } key && key != taint.Key) return false;
        return (toleration.OperatorProperty ?? "") switch
        {
            "Exists" => true,
            "" or "Equal" => (toleration.Value ?? "") == (taint.Value ?? ""),
            _ => false,
        };
    }

    public static bool Tolerates(V1PodSpec pod, V1Taint taint) => (pod.Tolerations ?? []).Any(t => Tolerates(t, taint));

    /// <summary>The first taint of these effects that a pod does not tolerate.</summary>
    public static V1Taint? Untolerated(V1PodSpec pod, V1Node node, params IReadOnlyList<string> effects) =>
        (node.Spec?.Taints ?? []).FirstOrDefault(t => effects.Contains(t.Effect) && !Tolerates(pod, t));
}
