using Graft.Operator.Api;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.FineTuning;

/// <summary>The words of <c>status.phase</c>.</summary>
internal static class FineTuneJobPhase
{
    public const string Pending = "Pending";
    public const string Running = "Running";
    public const string Evaluating = "Evaluating";
    public const string Succeeded = "Succeeded";
    public const string Failed = "Failed";
    public const string Suspended = "Suspended";
}

/// <summary>
/// The table of states and conditions, so that Flux waits for training, and <c>kubectl wait</c> for <c>Succeeded</c> or
/// <c>Stalled</c> ends either way. Ready=False never means failed to kstatus; only Stalled does.
/// </summary>
internal static class FineTuneJobConditions
{
    /// <summary>Accepted, running, or about to be tried again.</summary>
    /// <param name="trouble">Why it does not go on at the moment; null for nothing. Ready's reason is the phase all the same.</param>
    public static IReadOnlyList<V1Condition> Ongoing(string phase, string message, string? trouble = null) =>
    [
        Conditions.New(ConditionTypes.Ready, false, phase, message),
        Conditions.New(ConditionTypes.Reconciling, true, trouble ?? phase, message),
        Conditions.New(ConditionTypes.Stalled, false, Reasons.NotStalled),
        Conditions.New(ConditionTypes.Succeeded, null, phase, message),
    ];

    public static IReadOnlyList<V1Condition> Succeeded(string message) =>
    [
        Conditions.New(ConditionTypes.Ready, true, FineTuneJobPhase.Succeeded, message),
        Conditions.New(ConditionTypes.Reconciling, false, FineTuneJobPhase.Succeeded),
        Conditions.New(ConditionTypes.Stalled, false, Reasons.NotStalled),
        Conditions.New(ConditionTypes.Succeeded, true, FineTuneJobPhase.Succeeded, message),
    ];

    public static IReadOnlyList<V1Condition> Failed(string reason, string message) =>
    [
        Conditions.New(ConditionTypes.Ready, false, reason, message),
        Conditions.New(ConditionTypes.Reconciling, false, reason),
        Conditions.New(ConditionTypes.Stalled, true, reason, message),
        Conditions.New(ConditionTypes.Succeeded, false, reason, message),
    ];

    public static IReadOnlyList<V1Condition> Suspended { get; } =
    [
        Conditions.New(ConditionTypes.Ready, false, FineTuneJobPhase.Suspended, "spec.suspend is true"),
        Conditions.New(ConditionTypes.Reconciling, false, FineTuneJobPhase.Suspended),
        Conditions.New(ConditionTypes.Stalled, false, Reasons.NotStalled),
        Conditions.New(ConditionTypes.Succeeded, null, FineTuneJobPhase.Suspended),
    ];
}
