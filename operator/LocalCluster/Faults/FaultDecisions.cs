using System.Buffers.Binary;
using System.IO.Enumeration;
using System.Security.Cryptography;
using System.Text;

namespace Graft.LocalCluster.Faults;

/// <summary>Which request of its row one is, and what befalls it, if anything.</summary>
/// <param name="Count">From 1 on.</param>
/// <param name="Fault">What the seed had to draw is drawn.</param>
internal sealed record FaultDecision(FaultRequest Request, long Count, FaultRule? Rule, Fault? Fault);

/// <summary>
/// (plan, requests until now, request) -> fault or none. Nothing else goes in: two runs with the same rows of requests get the same
/// decisions. Not for several threads.
/// </summary>
internal sealed class FaultDecisions(FaultPlan plan)
{
    private readonly Dictionary<FaultRequest, long> _rows = [];
    private readonly Dictionary<int, long> _together = [];
    private readonly Dictionary<(int Rule, FaultRequest? Row), long> _fired = [];

    public FaultDecision Next(FaultRequest request)
    {
        var count = _rows[request] = _rows.GetValueOrDefault(request) + 1;
        FaultDecision? decided = null;
        for (var i = 0; i < plan.Rules.Count; i++)
        {
            var rule = plan.Rules[i];
            if (!MayBefall(rule.Fault, request.Verb, request.Subresource) || !Matches(rule.Match, request))
                continue;
            var when = rule.When ?? new FaultSchedule();
            // Counted for every rule that matches, so that what one rule does shifts no other rule's numbers.
            var number = when.Together ? _together[i] = _together.GetValueOrDefault(i) + 1 : count;
            var row = (i, when.Together ? null : request);
            if (decided is not null || !IsDue(when, number) || _fired.GetValueOrDefault(row) >= (when.Times ?? long.MaxValue))
                continue;
            if (when.Probability is { } probability && Draw(i, request, count, "fires") >= probability)
                continue;
            _fired[row] = _fired.GetValueOrDefault(row) + 1;
            decided = new FaultDecision(request, count, rule, Drawn(rule.Fault, i, request, count));
        }
        return decided ?? new FaultDecision(request, count, null, null);
    }

    /// <summary>Whether a fault makes sense there: only watches are cut, only writes crash.</summary>
    public static bool MayBefall(Fault fault, string verb, string subresource)
    {
        if (verb == "event" || fault.IsOfEvents)
            return verb == "event" && fault.IsOfEvents;
        var isConnection = subresource is "log" or "proxy" or "exec" or "attach" or "portforward";
        return fault switch
        {
            Fault.Crash => verb is not ("get" or "list" or "watch") && !isConnection,
            // What flows for as long as somebody reads has no answer that could be kept back.
            { NeedsAnswer: true } => verb != "watch" && !isConnection,
            Fault.Cut or Fault.WithholdBookmarks or Fault.Expire { AfterEvents: not null } => verb == "watch",
            Fault.Expire => verb is "list" or "watch",
            Fault.Stale => verb is "get" or "list" or "watch" && !isConnection,
            _ => true,
        };
    }

    private static bool Matches(FaultMatch? match, FaultRequest request) => match is null || (
        (match.Verbs is null || match.Verbs.Contains(request.Verb))
        && Fits(match.User, request.User) && Fits(match.Agent, request.Agent) && Fits(match.Manager, request.Manager)
        && Fits(match.Resource, request.Resource) && Fits(match.Subresource, request.Subresource)
        && Fits(match.Namespace, request.Namespace) && Fits(match.Name, request.Name));

    private static bool Fits(string? pattern, string text) =>
        pattern is null || (pattern.Length == 0 ? text.Length == 0 : FileSystemName.MatchesSimpleExpression(pattern, text, ignoreCase: false));

    private static bool IsDue(FaultSchedule when, long number) =>
        (when.Nth is null || when.Nth.Contains(number)) && number >= (when.From ?? 1) && number <= (when.To ?? long.MaxValue)
        && (when.Every is null || number % when.Every == 0);

    private Fault Drawn(Fault fault, int rule, FaultRequest request, long count)
    {
        if (fault is not Fault.Delay { UpTo: { } longest } delay)
            return fault;
        var drawn = delay.For + (longest - delay.For) * Draw(rule, request, count, "delay");
        return delay with { For = TimeSpan.FromMilliseconds(Math.Round(drawn.TotalMilliseconds)), UpTo = null };
    }

    /// <summary>A number in [0, 1) that only its arguments decide, in every process and on every machine.</summary>
    private double Draw(int rule, FaultRequest request, long count, string purpose)
    {
        var text = string.Join('\n', plan.Seed, rule, request.User, request.Agent, request.Manager, request.Verb, request.Resource,
            request.Subresource, request.Namespace, request.Name, count, purpose);
        var bits = BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text))) >> 11;
        return bits / (double)(1UL << 53);
    }
}
