using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>How nodes are watched; the figures of kube-controller-manager and the kubelet.</summary>
/// <param name="MonitorPeriod">How often the health of nodes is looked at (--node-monitor-period).</param>
/// <param name="GracePeriod">A node that was not heard of for so long is unknown (--node-monitor-grace-period).</param>
/// <param name="LeasePeriod">How often a kubelet renews its Lease: a quarter of its 40 seconds.</param>
/// <param name="OrphanQuarantine">How long pods of a node that is no more are left (pkg/controller/podgc).</param>
public sealed record NodeTiming(TimeSpan MonitorPeriod, TimeSpan GracePeriod, TimeSpan LeasePeriod, TimeSpan OrphanQuarantine)
{
    public static NodeTiming Default { get; } =
        new(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(50), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(40));
}

/// <summary>What a node's conditions and taints have to be (pkg/controller/nodelifecycle), from what was heard of it.</summary>
internal static class NodeHealth
{
    private const string Stopped = "Kubelet stopped posting node status.";
    private const string Never = "Kubelet never posted node status.";
    private static readonly string[] Watched = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

    // Condition and status -> the taint that stands for it.
    private static readonly Dictionary<(string Type, string Status), string> TaintOf = new()
    {
        [("Ready", "False")] = Taints.NotReady,
        [("Ready", "Unknown")] = Taints.Unreachable,
        [("MemoryPressure", "True")] = "node.kubernetes.io/memory-pressure",
        [("DiskPressure", "True")] = "node.kubernetes.io/disk-pressure",
        [("PIDPressure", "True")] = "node.kubernetes.io/pid-pressure",
        [("NetworkUnavailable", "True")] = "node.kubernetes.io/network-unavailable",
    };

    /// <summary>The conditions of a node that was not heard of for too long; null when they say so already.</summary>
    public static IReadOnlyList<V1NodeCondition>? Lost(V1Node node, DateTimeOffset now)
    {
        var known = (node.Status?.Conditions ?? []).ToDictionary(c => c.Type);
        if (Watched.All(type => known.TryGetValue(type, out var c) && c.Status == "Unknown")) return null;
        return [.. Watched.Select(type =>
        {
            var before = known.GetValueOrDefault(type);
            if (before?.Status == "Unknown") return before;
            var (reason, message) = before is null ? ("NodeStatusNeverUpdated", Never) : ("NodeStatusUnknown", Stopped);
            return new V1NodeCondition
            {
                Type = type, Status = "Unknown", Reason = reason, Message = message,
                LastHeartbeatTime = before?.LastHeartbeatTime ?? node.Metadata.CreationTimestamp, LastTransitionTime = now.UtcDateTime,
            };
        })];
    }

    /// <summary>The taints that a node should have; others than those of conditions and cordons stay.</summary>
    /// <returns>Null when it has them.</returns>
    public static IReadOnlyList<V1Taint>? TaintsOf(V1Node node, DateTimeOffset now)
    {
        var wanted = new List<(string Key, string Effect)>();
        foreach (var condition in node.Status?.Conditions ?? [])
        {
            if (TaintOf.TryGetValue((condition.Type, condition.Status), out var key)) wanted.Add((key, "NoSchedule"));
            if (condition.Type == "Ready" && key is not null) wanted.Add((key, "NoExecute"));
        }
        if (node.Spec?.Unschedulable == true) wanted.Add((Taints.Unschedulable, "NoSchedule"));
        var has = (node.Spec?.Taints ?? []).ToList();
        var kept = has.Where(t => !IsOurs(t) || wanted.Contains((t.Key, t.Effect))).ToList();
        var added = wanted.Where(w => !has.Any(t => t.Key == w.Key && t.Effect == w.Effect))
            .Select(w => new V1Taint { Key = w.Key, Effect = w.Effect, TimeAdded = now.UtcDateTime }).ToList();
        return kept.Count == has.Count && added.Count == 0 ? null : [.. kept, .. added];
    }

    private static bool IsOurs(V1Taint taint) => taint.Effect switch
    {
        "NoSchedule" => taint.Key == Taints.Unschedulable || TaintOf.ContainsValue(taint.Key),
        "NoExecute" => taint.Key is Taints.NotReady or Taints.Unreachable,
        _ => false,
    };

    /// <summary>How long a pod may stay on a node (pkg/controller/tainteviction): null for ever, zero not at all.</summary>
    public static TimeSpan? Stay(V1PodSpec pod, V1Node node)
    {
        var taints = (node.Spec?.Taints ?? []).Where(t => t.Effect == "NoExecute").ToList();
        if (taints.Count == 0) return null;
        var used = taints.Select(t => (pod.Tolerations ?? []).Where(toleration => Taints.Tolerates(toleration, t)).ToList()).ToList();
        if (used.Any(u => u.Count == 0)) return TimeSpan.Zero;
        var limits = used.SelectMany(u => u).Select(t => t.TolerationSeconds).OfType<long>().ToList();
        return limits.Count == 0 ? null : TimeSpan.FromSeconds(Math.Max(0, limits.Min()));
    }
}
