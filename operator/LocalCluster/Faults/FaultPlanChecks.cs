using System.Globalization;

namespace Graft.LocalCluster.Faults;

/// <summary>What is wrong with a plan that can be read: all of it, each with its field.</summary>
internal static class FaultPlanChecks
{
    private static readonly string[] Verbs =
        ["get", "list", "watch", "event", "create", "update", "patch", "delete", "deletecollection"];

    private static readonly int[] Codes = [409, 429, 500, 503, 504];

    public static IEnumerable<string> Of(FaultPlan plan) => plan.Rules.SelectMany((rule, i) =>
    {
        var field = string.Create(CultureInfo.InvariantCulture, $"rules[{i}]");
        return OfMatch(rule, field).Concat(OfSchedule(rule.When ?? new(), field)).Concat(OfFault(rule.Fault, field));
    });

    private static IEnumerable<string> OfMatch(FaultRule rule, string field)
    {
        if (rule.Name.Length == 0)
            yield return $"{field}.name: Required value: a few words for reports";
        foreach (var verb in rule.Match?.Verbs ?? [])
        {
            if (!Verbs.Contains(verb))
                yield return $"{field}.match.verbs: Unsupported value: \"{verb}\": supported values: {string.Join(", ", Verbs)}";
            else if (!FaultDecisions.MayBefall(rule.Fault, verb, rule.Match?.Subresource ?? ""))
                yield return $"{field}.match.verbs: Invalid value: \"{verb}\": {ActionOf(rule.Fault)} cannot befall it";
        }
    }

    private static IEnumerable<string> OfSchedule(FaultSchedule when, string field)
    {
        foreach (var (name, value) in new[]
        {
            ("from", when.From), ("to", when.To), ("every", when.Every), ("times", when.Times),
        }.Concat((when.Nth ?? []).Select(nth => ("nth", (long?)nth))))
        {
            if (value < 1)
                yield return $"{field}.when.{name}: Invalid value: {value}: requests are counted from 1 on";
        }
        if (when.Probability is < 0 or > 1)
            yield return $"{field}.when.probability: Invalid value: must be between 0 and 1";
    }

    private static IEnumerable<string> OfFault(Fault fault, string field)
    {
        field += ".fault";
        switch (fault)
        {
            case Fault.Delay delay when delay.For < TimeSpan.Zero || delay.UpTo < delay.For:
                yield return $"{field}: Invalid value: 'for' is not negative, and 'upTo' is not less";
                break;
            case Fault.Status status when !Codes.Contains(status.Code):
                yield return $"{field}.code: Unsupported value: {status.Code}: supported values: {string.Join(", ", Codes)}";
                break;
            case Fault.Status { RetryAfter: < 0 }:
                yield return $"{field}.retryAfter: Invalid value: seconds, not negative";
                break;
            case Fault.Stale stale when stale.Versions is null == stale.Age is null || stale.Versions < 1 || stale.Age <= TimeSpan.Zero:
                yield return $"{field}: Invalid value: exactly one of 'versions' and 'age', greater than zero";
                break;
            case Fault.Withhold { For.Ticks: <= 0 } or Fault.Coalesce { For.Ticks: <= 0 }:
                yield return $"{field}.for: Required value: how long at most, as 2s";
                break;
            case Fault.Withhold { Events: < 1 } or Fault.Coalesce { Events: < 1 } or Fault.Cut { AfterEvents: < 0 } or Fault.Expire { AfterEvents: < 0 }:
                yield return $"{field}: Invalid value: a number of events is not negative";
                break;
            default:
                break;
        }
    }

    internal static string ActionOf(Fault fault) => fault.GetType().Name;
}
