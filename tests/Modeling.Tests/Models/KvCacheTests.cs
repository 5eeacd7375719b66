using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Models;

[Collection(TorchCollection.Name)]
public sealed class KvCacheTests : IDisposable
{
    private const int Groups = 2, Size = 16, Capacity = 3;
    private readonly BaseModel model = Fixtures.Llama();
    private readonly KvCache cache;

    public KvCacheTests() =>
        cache = new KvCache(model.Config with { Layers = 1, KvHeads = Groups, HeadSize = Size }, Capacity, Fixtures.Cpu, ScalarType.BFloat16);

    public void Dispose()
    {
        cache.Dispose();
        model.Dispose();
    }

    [Fact]
    public void A_full_cache_takes_no_further_token()
    {
        using var scope = NewDisposeScope();
        var token = zeros([1, Groups, Size], ScalarType.BFloat16);
        for (var i = 0; i < Capacity; i++)
        {
            Assert.Equal(i + 1, cache.AppendOne(0, token, token, 0).Length);
            cache.Advance(1);
        }
        var error = Assert.Throws<InvalidOperationException>(() => cache.AppendOne(0, token, token, 0));
        Assert.Contains("3 tokens", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_and_values_of_another_type_or_shape_are_refused()
    {
        using var scope = NewDisposeScope();
        var right = zeros([1, Groups, Size], ScalarType.BFloat16);
        Tensor[] wrong =
        [
            zeros([1, Groups, Size], ScalarType.Float32), zeros([1, Groups + 1, Size], ScalarType.BFloat16),
            zeros([1, Groups, 2 * Size], ScalarType.BFloat16), zeros([Groups, Size], ScalarType.BFloat16),
            zeros([1, Size, Groups], ScalarType.BFloat16).transpose(1, 2),
        ];
        foreach (var other in wrong)
        {
            Assert.Throws<ArgumentException>(() => cache.AppendOne(0, other, right, 0));
            Assert.Throws<ArgumentException>(() => cache.AppendOne(0, right, other, 0));
        }
        Assert.Throws<ArgumentException>(() => cache.AppendOne(0, right, right, 1));
    }

    [Fact]
    public void A_pass_that_another_one_overtook_is_refused()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var full = new KvCache(model.Config, 4, model.Device, model.DType);
        Run(full, 3);
        using var late = new Pass([new Segment(0, 1, full)], model.Device);
        Run(full, 1);
        Assert.Throws<InvalidOperationException>(() => model.Network.Forward(tensor(new long[] { 9 }), late));
    }

    [Fact]
    public void Two_segments_of_a_pass_may_not_share_a_cache()
    {
        var error = Assert.Throws<ArgumentException>(() => new Pass([new Segment(0, 1, cache), new Segment(1, 1, cache)], model.Device));
        Assert.Contains("share a cache", error.Message, StringComparison.Ordinal);
    }

    private void Run(KvCache filled, int tokens)
    {
        using var pass = new Pass([new Segment(0, tokens, filled)], model.Device);
        model.Network.Forward(tensor(Enumerable.Repeat(9L, tokens).ToArray()), pass);
    }
}
