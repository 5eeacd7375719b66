using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Models;

/// <summary>Against transformers' own numbers for the same weights.</summary>
[Collection(TorchCollection.Name)]
public sealed class LlamaExactnessTests
{
    [Theory]
    [InlineData("llama")]
    [InlineData("llama_sharded")]
    public void Logits_loss_and_gradient_norm_are_those_of_the_reference(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Llama(name: name);
        using var expected = SafetensorsFile.Open(Fixtures.Path("models", name, "expected.safetensors"));
        var (ids, lengths) = Fixtures.Rows(expected.Map("input_ids"), expected.Map("attention_mask"));
        foreach (var (_, weight) in model.Network.Weights) weight.requires_grad = true;
        using var pass = Pass.OfLengths(lengths, model.Device);

        var hidden = model.Network.Forward(tensor(ids), pass);
        using (no_grad()) Assert.True(LargestLogitError(model.Network.Logits(hidden), expected.Map("logits"), lengths) < 2e-5);

        var (rows, targets) = Supervised(expected.Map("labels"), lengths);
        var loss = ChunkedCrossEntropy.Sum(hidden.index_select(0, tensor(rows)), model.Network.OutputWeight, tensor(targets)).div(rows.Length);
        loss.backward();
        var json = Fixtures.Json("models", name, "expected.json");
        Assert.Equal(json.GetProperty("supervised_tokens").GetInt32(), rows.Length);
        Assert.Equal(json.GetProperty("loss").GetDouble(), loss.item<float>(), 1e-5 * 6);
        var norm = Math.Sqrt(model.Network.Weights.Sum(w => w.Weight.grad!.square().sum().item<float>()));
        Assert.Equal(json.GetProperty("grad_norm").GetDouble(), norm, 1e-4 * norm);
    }

    [Fact]
    public void Bf16_weights_give_the_references_logits_in_either_arithmetic()
    {
        using var scope = NewDisposeScope();
        using var expected = SafetensorsFile.Open(Fixtures.Path("models", "llama_bf16", "expected.safetensors"));
        var (ids, lengths) = Fixtures.Rows(expected.Map("input_ids"), expected.Map("attention_mask"));
        using var guard = no_grad();
        foreach (var (dtype, logits, most) in new[] { (ScalarType.Float32, "logits_fp32", 2e-5), (ScalarType.BFloat16, "logits_bf16", 0.1) })
        {
            using var model = Fixtures.Llama(dtype, "llama_bf16");
            using var pass = Pass.OfLengths(lengths, model.Device);
            var found = model.Network.Logits(model.Network.Forward(tensor(ids), pass));
            Assert.True(LargestLogitError(found, expected.Map(logits), lengths) < most, $"{logits}");
        }
    }

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

    private static double LargestLogitError(Tensor found, Tensor expected, int[] lengths)
    {
        var rows = lengths.Select((length, r) => expected[r].narrow(0, 0, length)).ToArray();
        return Fixtures.MaxDifference(found, cat(rows));
    }

    /// <summary>Flat rows whose next token is supervised, and those tokens.</summary>
    internal static (long[] Rows, long[] Targets) Supervised(Tensor labels, int[] lengths)
    {
        var (rows, targets, at) = (new List<long>(), new List<long>(), 0L);
        for (var r = 0; r < lengths.Length; r++)
        {
            var row = labels[r].data<long>().ToArray();
            for (var i = 1; i < lengths[r]; i++)
            {
                if (row[i] == -100) continue;
                rows.Add(at + i - 1);
                targets.Add(row[i]);
            }
            at += lengths[r];
        }
        return ([.. rows], [.. targets]);
    }
}
