using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Training;

[Collection(TorchCollection.Name)]
public sealed class ChunkedCrossEntropyTests
{
    [Theory]
    [InlineData(null)]
    [InlineData(3.0)]
    public void Many_chunks_give_the_loss_and_gradients_of_one(double? softCap)
    {
        using var scope = NewDisposeScope();
        using var rng = new Generator(1);
        const int rows = 201, size = 8, vocabulary = 100_000;
        Tensor Draw(params long[] shape) => empty(shape, ScalarType.Float32).normal_(generator: rng);
        var (hidden, weight) = (Draw(rows, size), Draw(vocabulary, size));
        var targets = randint(vocabulary, rows, ScalarType.Int64, generator: rng);
        var (a, b) = (hidden.clone().requires_grad_(), weight.clone().requires_grad_());
        // In float64: float32 sums over the vocabulary differ by 1e-4 between libraries.
        var (c, d) = (hidden.to_type(ScalarType.Float64).requires_grad_(), weight.to_type(ScalarType.Float64).requires_grad_());

        var found = ChunkedCrossEntropy.Sum(a, b, targets, softCap);
        var logits = nn.functional.linear(c, d);
        if (softCap is { } cap) logits = logits.div(cap).tanh().mul(cap);
        var expected = nn.functional.cross_entropy(logits, targets, reduction: nn.Reduction.Sum);
        found.mul(0.25).backward();
        expected.mul(0.25).backward();

        Assert.Equal(expected.item<double>(), found.item<float>(), 1e-5 * expected.item<double>());
        Assert.True(Fixtures.MaxDifference(a.grad!, c.grad!) < 1e-5);
        Assert.True(Fixtures.MaxDifference(b.grad!, d.grad!) < 1e-5);
        using (no_grad()) Assert.Equal(found.item<float>(), ChunkedCrossEntropy.Sum(hidden, weight, targets, softCap).item<float>());
    }

    [Fact]
    public void A_frozen_head_gets_no_gradient()
    {
        using var scope = NewDisposeScope();
        var (hidden, weight) = (ones([2, 4]).requires_grad_(), ones(6, 4));
        ChunkedCrossEntropy.Sum(hidden, weight, tensor(new long[] { 1, 5 })).backward();
        Assert.NotNull(hidden.grad);
        Assert.Null(weight.grad);
    }
}
