using k8s.Models;

namespace Graft.Runtime.Tests;

public sealed class ConditionsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, 700, TimeSpan.Zero);

    [Fact]
    public void The_transition_time_moves_only_with_the_status()
    {
        var first = Conditions.Set(null, 1, Noon, Conditions.New("Ready", null, "Pending"));
        var second = Conditions.Set(first, 2, Noon.AddMinutes(1), Conditions.New("Ready", null, "Queued", "waits"));
        var third = Conditions.Set(second, 2, Noon.AddMinutes(2), Conditions.New("Ready", true, "Done"));
        Assert.Equal([0, 0, 2], new[] { first, second, third }.Select(c => (int)(c[0].LastTransitionTime - new DateTime(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc)).TotalMinutes));
        Assert.Equal(0, first[0].LastTransitionTime.Millisecond);
        Assert.Equal(("Queued", "waits", 2L), (second[0].Reason, second[0].Message, second[0].ObservedGeneration!.Value));
        Assert.Equal("Pending", first[0].Reason);
    }

    [Fact]
    public void Other_conditions_and_the_order_stay()
    {
        var all = Conditions.Set(null, 1, Noon, Conditions.New("A", true, "X"), Conditions.New("B", false, "X"));
        all = Conditions.Set(all, 2, Noon, Conditions.New("C", true, "X"), Conditions.New("A", false, "Y"));
        Assert.Equal(["A", "B", "C"], all.Select(c => c.Type));
        Assert.True(Conditions.IsFalse(all, "A"));
        Assert.False(Conditions.IsTrue(all, "missing"));
    }

    [Fact]
    public void A_condition_without_reason_is_refused() =>
        Assert.Throws<ArgumentException>(() => Conditions.Set(null, 1, Noon, new V1Condition { Type = "A", Status = "True" }));

    [Theory]
    [InlineData("90s", 90_000)]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("500ms", 500)]
    [InlineData("1m500ms", 60_500)]
    [InlineData("0s", 0)]
    public void Durations_read_as_they_are_written(string text, long milliseconds) =>
        Assert.Equal(milliseconds, GepDuration.Parse(text).TotalMilliseconds);

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("1d")]
    [InlineData("-1s")]
    [InlineData("100000s")]
    [InlineData("1h1m1s1ms1h")]
    [InlineData("1s\n")]
    public void What_is_no_duration_is_refused(string text) => Assert.False(GepDuration.TryParse(text, out _));

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(90_000, "1m30s")]
    [InlineData(90_061_001, "25h1m1s1ms")]
    public void Durations_are_written_in_their_shortest_form(long milliseconds, string text) =>
        Assert.Equal(text, GepDuration.Format(TimeSpan.FromMilliseconds(milliseconds)));
}
