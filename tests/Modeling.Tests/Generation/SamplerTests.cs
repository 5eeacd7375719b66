using Graft.Modeling.Generation;

namespace Graft.Modeling.Tests.Generation;

/// <summary>Which tokens may be drawn, as transformers' logits processors decide it.</summary>
public sealed class SamplerTests
{
    // Probabilities 0.5, 0.25, 0.125, 0.0625, 0.0625 in an order that is not theirs.
    private static readonly float[] Logits = [.. new[] { 0.0625, 0.5, 0.125, 0.0625, 0.25 }.Select(p => (float)Math.Log(p))];
    private static readonly SamplingOptions Plain = new(Temperature: 1);

    [Fact]
    public void Without_limits_all_tokens_keep_their_probability() => Assert.Equal([0, 1, 2, 3, 4], Kept(Plain));

    [Theory]
    [InlineData(1, new[] { 1 })]
    [InlineData(3, new[] { 1, 2, 4 })]
    [InlineData(4, new[] { 0, 1, 2, 3, 4 })]                            // the fourth and the fifth are equally likely
    [InlineData(99, new[] { 0, 1, 2, 3, 4 })]
    public void Top_k_keeps_the_likeliest_and_what_is_as_likely_as_the_last(int k, int[] kept) =>
        Assert.Equal(kept, Kept(Plain with { TopK = k }));

    [Theory]
    [InlineData(1e-9, new[] { 1 })]
    [InlineData(0.49, new[] { 1 })]
    [InlineData(0.51, new[] { 1, 4 })]
    [InlineData(0.76, new[] { 1, 2, 4 })]
    [InlineData(0.88, new[] { 0, 1, 2, 4 })]                            // of equally likely ones the first
    public void Top_p_keeps_the_fewest_that_reach_it(double p, int[] kept) => Assert.Equal(kept, Kept(Plain with { TopP = p }));

    [Theory]
    [InlineData(0.6, new[] { 1 })]
    [InlineData(0.45, new[] { 1, 4 })]
    [InlineData(0.2, new[] { 1, 2, 4 })]
    [InlineData(0.1, new[] { 0, 1, 2, 3, 4 })]
    public void Min_p_is_a_share_of_the_likeliest(double p, int[] kept) => Assert.Equal(kept, Kept(Plain with { MinP = p }));

    [Fact]
    public void Temperature_comes_before_the_limits_and_each_limit_sees_what_the_one_before_left()
    {
        // At temperature 0.5 the probabilities are squared: 16, 4, 1, 1/4, 1/4 of 21.5.
        Assert.Equal([1, 4], Kept(Plain with { Temperature = 0.5, TopP = 0.9 }));
        Assert.Equal([1, 4], Kept(Plain with { Temperature = 0.5, MinP = 0.2 }));
        // Of the two that top-k leaves the first has 2/3, which reaches 0.6.
        Assert.Equal([1], Kept(Plain with { TopK = 2, TopP = 0.6 }));
        Assert.Equal([1, 4], Kept(Plain with { TopK = 2, TopP = 0.7 }));
    }

    [Fact]
    public void A_repetition_penalty_divides_positive_logits_and_multiplies_negative_ones_of_what_was_said()
    {
        var sampler = new Sampler(new SamplingOptions(RepetitionPenalty: 2), [0, 3]);
        float[] logits = [3, 1.6f, -1, -0.9f];
        Assert.Equal(1, sampler.Next(logits));                                                   // 3 / 2 is less than 1.6
        Assert.Equal(0, sampler.Next(logits));                                                   // 1.6 / 2 is less still
        Assert.Equal(0, new Sampler(new SamplingOptions(RepetitionPenalty: 2), [1]).Next([-1, -0.6f]));
    }

    [Fact]
    public void Draws_follow_the_probabilities()
    {
        var sampler = new Sampler(Plain with { Seed = 11 }, []);
        var counts = new int[5];
        for (var i = 0; i < 20_000; i++) counts[sampler.Next(Logits)]++;
        Assert.Equal(0.5, counts[1] / 20_000.0, 0.02);
        Assert.Equal(0.25, counts[4] / 20_000.0, 0.02);
        Assert.Equal(0.0625, counts[0] / 20_000.0, 0.02);
    }

    [Fact]
    public void The_likeliest_is_the_first_of_the_largest_at_any_length()
    {
        var random = new Random(3);
        foreach (var length in new[] { 1, 15, 16, 17, 33, 1000 })
        {
            var logits = Enumerable.Range(0, length).Select(_ => (float)random.Next(10)).ToArray();
            Assert.Equal(Array.IndexOf(logits, logits.Max()), Sampler.Likeliest(logits));
        }
    }

    private static IEnumerable<int> Kept(SamplingOptions options) => new Sampler(options, []).Candidates(Logits).Select(c => c.Id).Order();
}
