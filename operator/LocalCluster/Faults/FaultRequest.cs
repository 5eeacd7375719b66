using System.Text.Json;
using Graft.LocalCluster.Faults;

namespace Graft.LocalCluster;

/// <summary>
/// A request as a plan sees it. Two that are equal belong to one row of requests, which is counted; there is no part of a
/// <see cref="FaultMatch"/> that tells apart what is equal here.
/// </summary>
/// <param name="Agent">The User-Agent before its first slash.</param>
/// <param name="Verb">RBAC's, or <c>event</c>: what a watch of this client tells of the object.</param>
/// <param name="Resource">Plural with its group, as in <c>jobs.batch</c>.</param>
/// <param name="Name">Empty for collections; of a creation that of its body, or its generateName.</param>
public sealed record FaultRequest(
    string User, string Agent, string Manager, string Verb, string Resource, string Subresource, string Namespace, string Name)
{
    /// <summary>Whether it changes something.</summary>
    public bool IsWrite => Verb is "create" or "update" or "patch" or "delete" or "deletecollection";

    /// <summary><c>patch jobs.batch/status ml/support by graft-operator</c>.</summary>
    public override string ToString()
    {
        var resource = Subresource.Length == 0 ? Resource : $"{Resource}/{Subresource}";
        var name = Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
        return $"{Verb} {resource} {(name.Length == 0 ? "*" : name)} by {(Agent.Length == 0 ? User : Agent)}";
    }
}

/// <summary>One request or event, as a run without faults records it: what a <see cref="FaultSweep"/> makes plans of.</summary>
/// <param name="Count">Which of its row, from 1 on.</param>
/// <param name="Committed">A write that was done.</param>
public sealed record RecordedRequest(FaultRequest Request, long Count, bool Committed);

/// <summary>A fault that happened.</summary>
/// <param name="Sequence">From 1 on, in the order in which faults happened.</param>
/// <param name="Rule">Its name.</param>
/// <param name="Count">Which request of its row it was.</param>
/// <param name="Fault">With what the seed drew and what the moment gave: <c>for</c> of a delay, <c>versions</c> of a stale read.</param>
public sealed record FiredFault(long Sequence, string Rule, FaultRequest Request, long Count, Fault Fault)
{
    /// <summary><c>#3 lost answers: {"action":"reset","afterCommit":true} at patch jobs.batch ml/support by graft-operator (number 1)</c>.</summary>
    public override string ToString() =>
        $"#{Sequence} {Rule}: {JsonSerializer.Serialize(Fault, FaultPlanJson.Default.Fault)} at {Request} (number {Count})";

    /// <summary>The rule that does this and nothing else again.</summary>
    public FaultRule ToRule() => new(
        Rule,
        Fault,
        new FaultMatch(
            Request.User, Request.Agent, Request.Manager, [Request.Verb], Request.Resource, Request.Subresource, Request.Namespace,
            Request.Name),
        new FaultSchedule(Nth: [Count]));

    /// <summary>
    /// The plan that makes the same faults happen again, whatever rules, seed and time made them happen first. No two of its rules are
    /// about the same requests, so their order means nothing; it is that of the requests, so that equal runs print equal plans.
    /// </summary>
    public static FaultPlan Replay(IEnumerable<FiredFault> fired) => new(
        [.. fired.GroupBy(one => (one.Rule, one.Request, one.Fault))
            .OrderBy(same => same.Key.Request.ToString(), StringComparer.Ordinal).ThenBy(same => same.Min(one => one.Count))
            .Select(same => same.First().ToRule() with { When = new FaultSchedule(Nth: [.. same.Select(one => one.Count).Order()]) })]);
}
