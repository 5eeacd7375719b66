using Graft.Operator.Api;
using Graft.Runtime;

namespace Graft.Operator.FineTuning;

/// <summary>What is worth telling a person who watches: changes of phase, and each attempt that failed.</summary>
internal static class FineTuneJobEvents
{
    public static IEnumerable<PlannedEvent> Between(FineTuneJobStatus? before, FineTuneJobStatus after)
    {
        foreach (var attempt in after.Attempts ?? [])
        {
            var known = before?.Attempts?.Any(a => a.Number == attempt.Number && a.Failure is not null) == true;
            if (attempt.Failure is { } failure && !known)
                yield return new("AttemptFailed", $"attempt {attempt.Number}: {failure.Class}: {failure.Message}", EventType.Warning);
        }
        if (before?.Phase == after.Phase) yield break;
        var ready = after.Conditions.Find(ConditionTypes.Ready)!;
        yield return after.Phase == FineTuneJobPhase.Failed
            ? new(ready.Reason, ready.Message, EventType.Warning)
            : new(after.Phase!, ready.Message);
    }
}
