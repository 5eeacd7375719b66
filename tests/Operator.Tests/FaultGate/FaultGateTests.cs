using Graft.Contract;
using Graft.LocalCluster;
using Xunit.Abstractions;

namespace Graft.Operator.Tests.FaultGate;

/// <summary>
/// The operator comes to the end that it comes to without faults, whatever goes wrong once on the way: its writes and their answers are
/// lost, it dies after any of them, it reads the past, its watches halt, break and expire, the server is overloaded, clocks jump.
/// </summary>
public sealed class FaultGateTests(ITestOutputHelper output)
{
    /// <summary><c>all</c> runs every plan of the sweep; a number is the seed of another sample; absent: the sample of seed 1.</summary>
    private const string Variable = "GRAFT_FAULT_SWEEP";
    private const int AtATime = 6;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(null, "Serving", 24)]
    [InlineData(nameof(FailureClass.DataError), "DataError", 8)]
    public async Task Whatever_goes_wrong_once_the_end_is_the_same(string? trainingEnds, string word, int sampled)
    {
        var failure = trainingEnds is null ? (FailureClass?)null : Enum.Parse<FailureClass>(trainingEnds);
        string wanted;
        IReadOnlyList<RecordedRequest> recorded;
        await using (var calm = await GateRun.StartAsync(FaultPlan.Empty, failure, records: true))
        {
            wanted = await calm.EndAsync(Patience);
            recorded = calm.Recorded;
        }
        Assert.Contains($"\"{word}\"", wanted, StringComparison.Ordinal);
        await using (var again = await GateRun.StartAsync(FaultPlan.Empty, failure)) Assert.Null(await again.ReachesAsync(wanted, Patience));

        // Events are for people: nothing waits for them, and their names are drawn.
        var disturbed = recorded.Where(r => r.Request.User == MortalOperator.User && r.Request.Resource != "events").ToList();
        IReadOnlyList<FaultPlan> plans =
            [.. Sample([.. FaultSweep.Of(disturbed)], sampled, Environment.GetEnvironmentVariable(Variable)), PodsComeLate, .. Storms()];
        var (failures, fired) = (new List<string>(), 0);
        await Parallel.ForEachAsync(plans, new ParallelOptions { MaxDegreeOfParallelism = AtATime }, async (plan, _) =>
        {
            await using var run = await GateRun.StartAsync(plan, failure);
            var wrong = await run.ReachesAsync(wanted, Patience);
            lock (failures)
            {
                if (wrong is not null) failures.Add($"Under the plan\n{plan.Print()}\n{wrong}");
                fired += run.Fired > 0 ? 1 : 0;
            }
        });
        output.WriteLine($"{plans.Count} plans of {disturbed.Count} requests and events; the faults of {fired} happened");
        Assert.True(failures.Count == 0, $"{failures.Count} of {plans.Count} plans:\n{string.Join("\n\n", failures.Take(3))}");
        // A request that the calm run made at random moments need not come again; most do.
        Assert.True(fired * 2 > plans.Count, $"only {fired} of {plans.Count} plans did anything");
    }

    /// <summary>The Job is known to be complete long before its pod is known to have ended; then nothing must be trained again.</summary>
    private static FaultPlan PodsComeLate { get; } = FaultPlan.Parse("""
        rules:
          - name: the pods' ends come after their Jobs'
            match: {user: '*operator', verbs: [event], resource: pods}
            when: {nth: [3]}
            fault: {action: withhold, for: 2s}
        """);

    /// <summary>Much that goes wrong at once, until the server has recovered.</summary>
    private static IEnumerable<FaultPlan> Storms() => from seed in Enumerable.Range(1, 2) select FaultPlan.Parse($$$"""
        seed: {{{seed}}}
        rules:
          - {name: conflict, match: {user: '*operator', verbs: [patch]}, when: {probability: 0.3, to: 6}, fault: {action: status, code: 409}}
          - {name: overload, match: {user: '*operator'}, when: {probability: 0.2, to: 6}, fault: {action: status, code: 429}}
          - {name: failure, match: {user: '*operator'}, when: {probability: 0.2, to: 6}, fault: {action: status, code: 500, afterCommit: true}}
          - {name: outage, match: {user: '*operator'}, when: {probability: 0.2, to: 6}, fault: {action: status, code: 503}}
          - {name: lost, match: {user: '*operator'}, when: {probability: 0.2, to: 6}, fault: {action: reset, afterCommit: true}}
          - {name: late, match: {user: '*operator'}, when: {probability: 0.5}, fault: {action: delay, for: 1ms, upTo: 100ms}}
        """);

    /// <summary>One plan for each kind of fault, both drawn by the seed, up to <paramref name="most"/> plans.</summary>
    private static IReadOnlyList<FaultPlan> Sample(IReadOnlyList<FaultPlan> plans, int most, string? asked)
    {
        if (asked == "all") return plans;
        var draw = new Random(int.TryParse(asked, out var seed) ? seed : 1);
        return [.. plans.GroupBy(p => p.Rules[0].Name)
            .Select(same => same.OrderBy(p => p.Print(), StringComparer.Ordinal).OrderBy(_ => draw.Next()).First())
            .OrderBy(_ => draw.Next()).Take(most)];
    }
}
