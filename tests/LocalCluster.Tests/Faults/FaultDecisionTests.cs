using Graft.LocalCluster.Faults;

namespace Graft.LocalCluster.Tests.Faults;

public class FaultDecisionTests
{
    private static readonly FaultRequest Patch = new("admin", "kubectl", "kubectl", "patch", "jobs.batch", "", "ml", "a");

    [Theory]
    [InlineData("", "1 2 3 4 5 6")]
    [InlineData("nth: [2, 5]", "2 5")]
    [InlineData("from: 3", "3 4 5 6")]
    [InlineData("from: 2, to: 4", "2 3 4")]
    [InlineData("every: 3", "3 6")]
    [InlineData("every: 2, times: 2", "2 4")]
    [InlineData("from: 2, times: 1", "2")]
    [InlineData("probability: 0", "")]
    [InlineData("probability: 1", "1 2 3 4 5 6")]
    public void A_schedule_says_which_of_a_row_of_requests_fail(string when, string expected) =>
        Assert.Equal(expected, Numbers($"rules: [{{name: x, when: {{{when}}}, fault: {{action: drop}}}}]", Patch, 6));

    [Theory]
    [InlineData("resource: jobs.batch", true)]
    [InlineData("resource: jobs", false)]
    [InlineData("resource: '*.batch'", true)]
    [InlineData("subresource: ''", true)]
    [InlineData("subresource: status", false)]
    [InlineData("verbs: [create, patch], namespace: ml", true)]
    [InlineData("verbs: [create]", false)]
    [InlineData("name: 'a*', user: adm*", true)]
    [InlineData("name: A", false)]
    [InlineData("agent: kubectl, manager: kubectl", true)]
    [InlineData("agent: graft-operator", false)]
    public void A_match_is_about_what_it_names_and_nothing_else(string match, bool matches) =>
        Assert.Equal(matches ? "1" : "", Numbers($"rules: [{{name: x, match: {{{match}}}, fault: {{action: drop}}}}]", Patch, 1));

    [Fact]
    public void Requests_for_other_objects_in_between_change_nothing()
    {
        const string plan = "{seed: 4, rules: [{name: x, when: {probability: 0.4}, fault: {action: delay, for: 1ms, upTo: 1s}}]}";
        var other = Patch with { Name = "b" };
        var alone = Run(plan, Enumerable.Repeat(Patch, 20));
        var mixed = Run(plan, Enumerable.Range(0, 40).Select(i => i % 2 == 0 ? other : Patch)).Where(d => d.Request == Patch);
        Assert.Equal(alone.Select(d => d.Fault), mixed.Select(d => d.Fault));
        Assert.Contains(alone, d => d.Fault is not null);
        Assert.Contains(alone, d => d.Fault is null);
    }

    [Fact]
    public void Another_seed_fires_at_others()
    {
        string Fired(int seed) => Numbers($"{{seed: {seed}, rules: [{{name: x, when: {{probability: 0.5}}, fault: {{action: drop}}}}]}}", Patch, 64);
        Assert.Equal(Fired(1), Fired(1));
        Assert.NotEqual(Fired(1), Fired(2));
    }

    [Fact]
    public void Counted_together_the_requests_of_all_objects_are_one_row()
    {
        var requests = Enumerable.Range(0, 6).Select(i => Patch with { Name = $"o{i}" });
        var fired = Run("rules: [{name: x, when: {nth: [4], together: true}, fault: {action: drop}}]", requests).Where(d => d.Fault is not null);
        Assert.Equal("o3", Assert.Single(fired).Request.Name);
    }

    [Fact]
    public void The_first_rule_that_fires_decides_and_the_others_still_count()
    {
        var decisions = Run("""
            rules:
              - {name: first, when: {nth: [1]}, fault: {action: drop}}
              - {name: second, when: {every: 2}, fault: {action: reset}}
            """, Enumerable.Repeat(Patch, 4));
        Assert.Equal(["first", "second", null, "second"], decisions.Select(d => d.Rule?.Name));
    }

    [Theory]
    [InlineData("crash", "get", false)]
    [InlineData("crash", "patch", true)]
    [InlineData("cut", "list", false)]
    [InlineData("cut", "watch", true)]
    [InlineData("reset, afterCommit: true", "watch", false)]
    [InlineData("reset", "watch", true)]
    [InlineData("withhold, for: 1s", "watch", false)]
    [InlineData("withhold, for: 1s", "event", true)]
    [InlineData("status, code: 500", "event", false)]
    [InlineData("'stale', versions: 1", "create", false)]
    [InlineData("expire", "list", true)]
    [InlineData("expire, afterEvents: 1", "list", false)]
    public void A_fault_befalls_only_what_it_can(string fault, string verb, bool fires) =>
        Assert.Equal(fires ? "1" : "", Numbers($"rules: [{{name: x, fault: {{action: {fault}}}}}]", Patch with { Verb = verb }, 1));

    [Fact]
    public void What_fired_replays_as_a_plan_of_its_own()
    {
        const string plan = "{seed: 9, rules: [{name: late, when: {probability: 0.3}, fault: {action: delay, for: 1ms, upTo: 1s}}]}";
        var requests = Enumerable.Range(0, 60).Select(i => Patch with { Name = $"o{i % 3}" }).ToList();
        var first = Run(plan, requests);
        var fired = first.Where(d => d.Fault is not null).Select((d, i) => new FiredFault(i + 1, d.Rule!.Name, d.Request, d.Count, d.Fault!));
        var again = Run(FiredFault.Replay(fired).Print(), requests);
        Assert.Equal(first.Select(d => d.Fault), again.Select(d => d.Fault));
    }

    private static string Numbers(string plan, FaultRequest request, int count) =>
        string.Join(' ', Run(plan, Enumerable.Repeat(request, count)).Where(d => d.Fault is not null).Select(d => d.Count));

    private static List<FaultDecision> Run(string plan, IEnumerable<FaultRequest> requests)
    {
        var decisions = new FaultDecisions(FaultPlan.Parse(plan));
        return [.. requests.Select(decisions.Next)];
    }
}
