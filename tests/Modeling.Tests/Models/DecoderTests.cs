using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Models;

/// <summary>What holds for every decoder, however its attention and its positions work.</summary>
[Collection(TorchCollection.Name)]
public sealed class DecoderTests
{
    [Fact]
    public void A_cache_changes_nothing_however_the_text_is_cut()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = Fixtures.Llama();
        var ids = Enumerable.Range(0, 40).Select(i => (long)(8 + i * 37 % 370)).ToArray();
        using var whole = Pass.OfLengths([40], model.Device);
        var expected = model.Network.Forward(tensor(ids), whole);
        using var cache = new KvCache(model.Config, 40, model.Device, model.DType);
        var parts = new List<Tensor>();
        foreach (var length in new[] { 7, 1, 1, 20, 11 })
        {
            using var pass = new Pass([new Segment(0, length, cache)], model.Device);
            parts.Add(model.Network.Forward(tensor(ids.AsSpan(cache.Length, length).ToArray()), pass));
        }
        Assert.Equal(40, cache.Length);
        Assert.True(Fixtures.MaxDifference(expected, cat(parts)) < 1e-5);
    }

    [Fact]
    public void Texts_in_one_pass_do_not_see_each_other()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = Fixtures.Llama();
        var ids = Enumerable.Range(0, 30).Select(i => (long)(8 + i * 53 % 370)).ToArray();
        int[] lengths = [5, 5, 9, 1, 5, 5];
        using var together = Pass.OfLengths(lengths, model.Device);
        var all = model.Network.Forward(tensor(ids), together);
        var at = 0;
        foreach (var length in lengths)
        {
            using var alone = Pass.OfLengths([length], model.Device);
            var one = model.Network.Forward(tensor(ids.AsSpan(at, length).ToArray()), alone);
            Assert.True(Fixtures.MaxDifference(one, all.narrow(0, at, length)) < 1e-5);
            at += length;
        }
    }
}
