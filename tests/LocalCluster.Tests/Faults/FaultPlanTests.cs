namespace Graft.LocalCluster.Tests.Faults;

public class FaultPlanTests
{
    private const string Whole = """
        seed: 7
        rules:
          - name: everything that can be said
            match:
              user: system:serviceaccount:graft-system:graft-operator
              agent: graft-operator
              manager: graft-operator
              verbs: [create, patch]
              resource: jobs.batch
              subresource: ''
              namespace: ml
              name: 'support*'
            when: {nth: [1, 3], from: 1, to: 9, every: 2, probability: 0.5, times: 2, together: true}
            fault: {action: delay, for: 0s, upTo: 1m30s, afterCommit: true}
          - {name: b, fault: {action: drop}}
          - {name: c, fault: {action: status, code: 429, retryAfter: 2}}
          - {name: d, fault: {action: reset, afterCommit: true}}
          - {name: e, fault: {action: stale, versions: 3, always: true}}
          - {name: f, fault: {action: stale, age: 10s}}
          - {name: g, fault: {action: withhold, for: 2s, events: 3}}
          - {name: h, fault: {action: coalesce, for: 2s}}
          - {name: i, fault: {action: cut, afterEvents: 2, midLine: true}}
          - {name: j, fault: {action: expire, afterEvents: 0}}
          - {name: k, fault: {action: withholdBookmarks}}
          - {name: l, fault: {action: jump, by: -1h}}
          - {name: m, fault: {action: crash, command: [kill, -KILL, '1234']}}
        """;

    [Fact]
    public void A_printed_plan_reads_as_the_same_plan()
    {
        var plan = FaultPlan.Parse(Whole);
        var printed = plan.Print();
        Assert.Equal(13, plan.Rules.Count);
        Assert.Equal(printed, FaultPlan.Parse(printed).Print());
        Assert.Contains("by: -1h", printed, StringComparison.Ordinal);
        Assert.Contains("- \"1234\"", printed, StringComparison.Ordinal);
        Assert.Equal(new Fault.Expire(0), FaultPlan.Parse(printed).Rules[9].Fault);
    }

    [Fact]
    public void Every_fault_of_a_plan_is_named_at_once()
    {
        var refusal = Assert.Throws<FaultPlanException>(() => FaultPlan.Parse("""
            rules:
              - {name: '', match: {verbs: [delte]}, fault: {action: drop}}
              - {name: b, when: {nth: [0], probability: 2}, fault: {action: status, code: 404}}
              - {name: c, fault: {action: stale}}
              - {name: d, match: {verbs: [watch]}, fault: {action: crash}}
              - {name: e, fault: {action: delay, for: 2s, upTo: 1s}}
            """));
        string[] wanted =
        [
            "rules[0].name", "rules[0].match.verbs: Unsupported value: \"delte\"", "rules[1].when.nth", "rules[1].when.probability",
            "rules[1].fault.code: Unsupported value: 404", "rules[2].fault", "rules[3].match.verbs", "rules[4].fault",
        ];
        foreach (var part in wanted)
            Assert.Contains(part, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rules: [{name: x, fault: {action: explode}}]", "explode")]
    [InlineData("rules: [{name: x, fault: {action: drop}, whne: {}}]", "whne")]
    [InlineData("rules: [{name: x}]", "fault")]
    [InlineData("rules: [{name: x, fault: {action: delay, for: soon}}]", "500ms")]
    [InlineData("seed: 1", "rules")]
    [InlineData("- a", "map")]
    [InlineData("{", "yaml")]
    public void What_is_no_plan_is_refused_by_the_word_that_is_wrong(string text, string word) =>
        Assert.Contains(word, Assert.Throws<FaultPlanException>(() => FaultPlan.Parse(text)).Message, StringComparison.OrdinalIgnoreCase);
}
