using k8s.Models;

namespace Graft.Runtime;

/// <summary>
/// Conditions as metav1.Condition means them: one per type, lastTransitionTime moves only when the status does, times are whole
/// seconds because that is all the API keeps.
/// </summary>
public static class Conditions
{
    public const string True = "True";
    public const string False = "False";
    public const string Unknown = "Unknown";

    public static V1Condition New(string type, bool? status, string reason, string message = "") => new()
    {
        Type = type,
        Status = status switch { true => True, false => False, null => Unknown },
        Reason = reason,
        Message = message,
    };

    public static V1Condition? Find(IEnumerable<V1Condition>? conditions, string type) => conditions?.FirstOrDefault(c => c.Type == type);

    public static bool IsTrue(IEnumerable<V1Condition>? conditions, string type) => Find(conditions, type)?.Status == True;

    public static bool IsFalse(IEnumerable<V1Condition>? conditions, string type) => Find(conditions, type)?.Status == False;

    /// <summary>
    /// The current conditions with the given ones set, in the order they had, new ones at the end. The inputs are not changed.
    /// Every given one gets the generation that it was concluded from.
    /// </summary>
    public static IList<V1Condition> Set(IEnumerable<V1Condition>? current, long? generation, DateTimeOffset now, params IEnumerable<V1Condition> conditions)
    {
        var result = new List<V1Condition>(current ?? []);
        foreach (var condition in conditions)
        {
            if (string.IsNullOrEmpty(condition.Reason))
                throw new ArgumentException($"Condition {condition.Type} needs a reason.", nameof(conditions));
            var index = result.FindIndex(c => c.Type == condition.Type);
            var old = index < 0 ? null : result[index];
            var set = condition with
            {
                Message = condition.Message ?? "",
                ObservedGeneration = generation,
                LastTransitionTime = old is not null && old.Status == condition.Status ? old.LastTransitionTime : WholeSeconds(now),
            };
            if (index < 0)
                result.Add(set);
            else
                result[index] = set;
        }

        return result;
    }

    private static DateTime WholeSeconds(DateTimeOffset time) => new(time.UtcTicks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, DateTimeKind.Utc);
}
