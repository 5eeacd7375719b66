using Graft.Modeling;
using Graft.Server.Engine;

namespace Graft.Server.Tests;

public class SchedulerTests
{
    [Theory]
    [InlineData(0, 8, 0)]
    [InlineData(3, 8, 3)]
    [InlineData(3, 3, 3)]
    [InlineData(3, 2, 2)]
    public void Waiting_sequences_enter_in_order_while_there_are_places(int arrived, int places, int running)
    {
        var scheduler = new Scheduler(new EngineLimits(places));
        Sequence[] sequences = [.. Enumerable.Range(0, arrived).Select(_ => Sequence())];
        foreach (var sequence in sequences) scheduler.Add(sequence);

        Assert.Equal(sequences[..running], scheduler.Schedule());
        Assert.Equal(sequences[..running], scheduler.Schedule());
        Assert.Equal(arrived - running, scheduler.Waiting);
    }

    [Fact]
    public void A_place_is_taken_again_when_its_sequence_has_ended()
    {
        var scheduler = new Scheduler(new EngineLimits(MaxSequences: 1));
        var (first, second) = (Sequence(), Sequence());
        scheduler.Add(first);
        scheduler.Add(second);
        Assert.Equal([first], scheduler.Schedule());

        first.End(null);

        Assert.Equal([second], scheduler.Schedule());
        second.End(null);
        Assert.Empty(scheduler.Schedule());
        Assert.True(scheduler.IsIdle);
    }

    [Fact]
    public void A_sequence_that_ended_while_it_waited_never_runs()
    {
        var scheduler = new Scheduler(new EngineLimits(MaxSequences: 1));
        var (first, second, third) = (Sequence(), Sequence(), Sequence());
        foreach (var sequence in (Sequence[])[first, second, third]) scheduler.Add(sequence);
        scheduler.Schedule();

        second.End(new OperationCanceledException());
        first.End(null);

        Assert.Equal([third], scheduler.Schedule());
    }

    private static Sequence Sequence() =>
        new("base", [1], new SamplingOptions(), lease: null, arrival: 0, CancellationToken.None);
}
