using k8s.Models;

namespace Graft.LocalCluster.Controllers.Jobs;

internal static class JobConditions
{
    public const string Complete = "Complete";
    public const string Failed = "Failed";
    public const string Suspended = "Suspended";

    /// <summary>It will be Complete once its pods are gone (KEP-3998).</summary>
    public const string SuccessCriteriaMet = "SuccessCriteriaMet";

    /// <summary>It will be Failed once its pods are gone (KEP-3329).</summary>
    public const string FailureTarget = "FailureTarget";

    public static V1JobCondition? Find(V1JobStatus? status, string type) => status?.Conditions?.FirstOrDefault(c => c.Type == type);

    public static bool IsTrue(V1JobStatus? status, string type) => Find(status, type)?.Status == "True";

    public static V1JobCondition? Finished(V1JobStatus? status) =>
        status?.Conditions?.FirstOrDefault(c => c.Type is Complete or Failed && c.Status == "True");

    /// <summary>Sets a condition; its transition time moves only when its status does.</summary>
    /// <returns>Whether its status changed.</returns>
    public static bool Set(V1JobStatus status, string type, bool value, string reason, string message, DateTimeOffset now)
    {
        var text = value ? "True" : "False";
        var known = Find(status, type);
        var changed = known?.Status != text;
        if (!changed && known!.Reason == reason && known.Message == message) return false;
        var condition = new V1JobCondition
        {
            Type = type,
            Status = text,
            Reason = reason,
            Message = message,
            LastProbeTime = now.UtcDateTime,
            LastTransitionTime = changed ? now.UtcDateTime : known!.LastTransitionTime,
        };
        status.Conditions = [.. (status.Conditions ?? []).Where(c => c.Type != type), condition];
        return changed;
    }
}
