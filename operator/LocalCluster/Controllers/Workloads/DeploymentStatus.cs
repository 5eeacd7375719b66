using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Workloads;

/// <summary>Counts and conditions of a Deployment, with the reasons and messages that kubectl's users know.</summary>
internal static class DeploymentStatus
{
    private const int DefaultDeadline = 600;

    /// <param name="again">When the progress deadline may be passed.</param>
    public static V1DeploymentStatus Of(
        V1Deployment deployment, IReadOnlyList<V1ReplicaSet> sets, V1ReplicaSet? current, bool isNew, DateTimeOffset now, out TimeSpan? again)
    {
        var wanted = deployment.Spec.Replicas ?? 1;
        var available = sets.Sum(s => s.Status?.AvailableReplicas ?? 0);
        var replicas = sets.Sum(s => s.Status?.Replicas ?? 0);
        var updated = isNew ? 0 : current?.Status?.Replicas ?? 0;
        var status = new V1DeploymentStatus
        {
            ObservedGeneration = deployment.Metadata.Generation,
            Replicas = replicas,
            UpdatedReplicas = updated,
            ReadyReplicas = sets.Sum(s => s.Status?.ReadyReplicas ?? 0),
            AvailableReplicas = available,
            UnavailableReplicas = Math.Max(0, Math.Max(wanted, sets.Sum(Rollout.Replicas)) - available),
            CollisionCount = deployment.Status?.CollisionCount,
            Conditions = [.. deployment.Status?.Conditions ?? []],
        };
        var enough = available >= wanted - RolloutBounds.Of(deployment).Unavailable;
        Set(status, "Available", enough, enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
            enough ? "Deployment has minimum availability." : "Deployment does not have minimum availability.", now, touch: false);
        again = deployment.Spec.Paused == true
            ? Pause(status, now)
            : Progress(deployment, status, current, isNew, wanted, now);
        return status;
    }

    private static TimeSpan? Pause(V1DeploymentStatus status, DateTimeOffset now)
    {
        Set(status, "Progressing", null, "DeploymentPaused", "Deployment is paused", now, touch: false);
        return null;
    }

    private static TimeSpan? Progress(
        V1Deployment deployment, V1DeploymentStatus status, V1ReplicaSet? current, bool isNew, int wanted, DateTimeOffset now)
    {
        var before = deployment.Status;
        var known = status.Conditions.FirstOrDefault(c => c.Type == "Progressing");
        var name = current?.Metadata.Name;
        if (isNew)
        {
            Set(status, "Progressing", true, "NewReplicaSetCreated", $"Created new replica set \"{name}\"", now, touch: true);
            return Deadline(deployment);
        }
        var complete = status.UpdatedReplicas == wanted && status.Replicas == wanted && status.AvailableReplicas == wanted
            && before?.ObservedGeneration >= deployment.Metadata.Generation;
        if (complete || (known?.Reason == "NewReplicaSetAvailable" && before?.ObservedGeneration >= deployment.Metadata.Generation))
        {
            // Once through, a rollout stays through until the template changes; lost pods show in Available.
            if (complete) Set(status, "Progressing", true, "NewReplicaSetAvailable", $"ReplicaSet \"{name}\" has successfully progressed.", now, touch: false);
            return null;
        }
        var progressed = status.UpdatedReplicas > (before?.UpdatedReplicas ?? 0) || status.ReadyReplicas > (before?.ReadyReplicas ?? 0)
            || status.AvailableReplicas > (before?.AvailableReplicas ?? 0)
            || status.Replicas - status.UpdatedReplicas < (before?.Replicas ?? 0) - (before?.UpdatedReplicas ?? 0);
        if (progressed || known is null || (before?.ObservedGeneration ?? 0) < deployment.Metadata.Generation)
        {
            Set(status, "Progressing", true, "ReplicaSetUpdated", $"ReplicaSet \"{name}\" is progressing.", now, touch: true);
            return Deadline(deployment);
        }
        var left = (known.LastUpdateTime ?? now.UtcDateTime) + Deadline(deployment) - now;
        if (left > TimeSpan.Zero) return left;
        Set(status, "Progressing", false, "ProgressDeadlineExceeded", $"ReplicaSet \"{name}\" has timed out progressing.", now, touch: false);
        return null;
    }

    private static TimeSpan Deadline(V1Deployment deployment) => TimeSpan.FromSeconds(deployment.Spec.ProgressDeadlineSeconds ?? DefaultDeadline);

    /// <param name="touch">Whether the update time moves though nothing changed: progress counts from it.</param>
    private static void Set(V1DeploymentStatus status, string type, bool? value, string reason, string message, DateTimeOffset now, bool touch)
    {
        var text = value is null ? "Unknown" : value.Value ? "True" : "False";
        var known = status.Conditions.FirstOrDefault(c => c.Type == type);
        if (known is not null && known.Status == text && known.Reason == reason && known.Message == message && !touch) return;
        status.Conditions =
        [
            .. status.Conditions.Where(c => c.Type != type),
            new V1DeploymentCondition
            {
                Type = type, Status = text, Reason = reason, Message = message, LastUpdateTime = now.UtcDateTime,
                LastTransitionTime = known?.Status == text ? known.LastTransitionTime : now.UtcDateTime,
            },
        ];
    }

    public static bool Same(V1DeploymentStatus? a, V1DeploymentStatus b) =>
        a is not null && Text(a) == Text(b);

    // Zero and absent say the same, and the order of conditions says nothing.
    private static string Text(V1DeploymentStatus status) => string.Join('|',
        status.ObservedGeneration ?? 0, status.Replicas ?? 0, status.UpdatedReplicas ?? 0, status.ReadyReplicas ?? 0,
        status.AvailableReplicas ?? 0, status.UnavailableReplicas ?? 0, status.CollisionCount ?? 0,
        string.Join(';', (status.Conditions ?? []).OrderBy(c => c.Type, StringComparer.Ordinal).Select(c => ObjectJson.ToNode(c)!.ToJsonString())));
}
