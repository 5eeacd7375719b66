using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>Where a pod goes: a node, or the scheduler's message why to none.</summary>
internal sealed record SchedulingDecision(string? Node, string? Message)
{
    public static SchedulingDecision Decide(V1Pod pod, ClusterSnapshot snapshot)
    {
        // pkg/scheduler/schedule_one.go, ErrNoNodesAvailable.
        if (snapshot.Nodes.Count == 0) return new SchedulingDecision(null, "no nodes available to schedule pods");
        var refusals = snapshot.Nodes.Select(node => (Node: node, Refusal: NodeFilters.Refuse(pod, node, snapshot))).ToList();
        var fitting = refusals.Where(r => r.Refusal is null).Select(r => r.Node).ToList();
        return fitting.Count > 0
            ? new SchedulingDecision(NodeScores.Choose(pod, fitting).Name, null)
            : new SchedulingDecision(null, Refused(pod, [.. refusals.Select(r => r.Refusal!)]));
    }

    /// <summary>A pod that no node can take for what it refers to, whatever node (a PreFilter's refusal).</summary>
    public static string Hopeless(string why, int nodes) =>
        $"0/{nodes} nodes are available: {why}. preemption: 0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling.";

    // pkg/scheduler/framework/types.go, FitError.Error; what preemption could do is said in its own words.
    private static string Refused(V1Pod pod, IReadOnlyList<Refusal> refusals)
    {
        var preemption = pod.Spec.PreemptionPolicy == "Never"
            ? "not eligible due to preemptionPolicy=Never."
            : $"0/{refusals.Count} nodes are available: {Counted(refusals.Select(r => r.IsFinal
                ? "Preemption is not helpful for scheduling" : "No preemption victims found for incoming pod"))}.";
        return $"0/{refusals.Count} nodes are available: {Counted(refusals.SelectMany(r => r.Reasons))}. preemption: {preemption}";
    }

    private static string Counted(IEnumerable<string> reasons) =>
        string.Join(", ", reasons.GroupBy(r => r, StringComparer.Ordinal).Select(g => $"{g.Count()} {g.Key}").Order(StringComparer.Ordinal));
}
