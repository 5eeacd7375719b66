using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Status;

/// <summary>A pod's conditions as the kubelet keeps them (kubernetes/pkg/kubelet/status/generate.go).</summary>
internal static class PodConditions
{
    public static IList<V1PodCondition> Decide(PodFacts facts, string phase)
    {
        var over = phase is "Succeeded" or "Failed";
        var (containers, reason, message) = ContainersReady(facts, phase);
        var (ready, why, text) = Ready(facts, containers, reason, message);
        var (initialized, incomplete) = Initialized(facts, phase);
        return
        [
            Condition(facts, "PodReadyToStartContainers", facts.HasSandbox && !over, null, null),
            Condition(facts, "Initialized", initialized, phase == "Succeeded" ? "PodCompleted" : initialized ? null : "ContainersNotInitialized", incomplete),
            Condition(facts, "Ready", ready, why, text),
            Condition(facts, "ContainersReady", containers, reason, message),
            Condition(facts, "PodScheduled", true, null, null),
        ];
    }

    private static (bool, string?, string?) ContainersReady(PodFacts facts, string phase)
    {
        if (phase == "Succeeded") return (false, "PodCompleted", null);
        if (phase == "Failed") return (false, "PodFailed", null);
        var unready = facts.Inits.Where(c => facts.Sidecars.Contains(c.Name)).Concat(facts.Containers).Where(c => !c.Ready).Select(c => c.Name).ToList();
        return unready.Count == 0 ? (true, null, null) : (false, "ContainersNotReady", $"containers with unready status: [{string.Join(' ', unready)}]");
    }

    /// <summary>Ready are containers and everybody else whom the pod's readiness gates name.</summary>
    private static (bool, string?, string?) Ready(PodFacts facts, bool containers, string? reason, string? message)
    {
        if (!containers) return (false, reason, message);
        var missing = new List<string>();
        foreach (var gate in facts.Pod.Spec.ReadinessGates ?? [])
        {
            var condition = facts.Pod.Status?.Conditions?.FirstOrDefault(c => c.Type == gate.ConditionType);
            if (condition is null) missing.Add($"corresponding condition of pod readiness gate \"{gate.ConditionType}\" does not exist.");
            else if (condition.Status != "True") missing.Add($"the status of pod readiness gate \"{gate.ConditionType}\" is not \"True\", but {condition.Status}");
        }
        return missing.Count == 0 ? (true, null, null) : (false, "ReadinessGatesNotReady", string.Join(", ", missing));
    }

    private static (bool, string?) Initialized(PodFacts facts, string phase)
    {
        if (phase == "Succeeded") return (true, null);
        // Once a container ran, initialization was over, and stays so.
        if (facts.Containers.Any(c => c.State?.Running is not null || c.State?.Terminated is not null || c.LastState?.Terminated is not null)) return (true, null);
        var incomplete = facts.Inits.Where(c => facts.Sidecars.Contains(c.Name) ? c.Started != true : c.State?.Terminated is not { ExitCode: 0 })
            .Select(c => c.Name).ToList();
        return incomplete.Count == 0 ? (true, null) : (false, $"containers with incomplete status: [{string.Join(' ', incomplete)}]");
    }

    private static V1PodCondition Condition(PodFacts facts, string type, bool value, string? reason, string? message)
    {
        var text = value ? "True" : "False";
        var known = (facts.Before ?? facts.Pod.Status)?.Conditions?.FirstOrDefault(c => c.Type == type);
        return new V1PodCondition
        {
            Type = type,
            Status = text,
            // The empty text takes an earlier reason away: a patch keeps what it does not name.
            Reason = reason ?? "",
            Message = message ?? "",
            ObservedGeneration = facts.Pod.Metadata.Generation,
            LastTransitionTime = known?.Status == text ? known.LastTransitionTime : facts.Now.UtcDateTime,
        };
    }
}
