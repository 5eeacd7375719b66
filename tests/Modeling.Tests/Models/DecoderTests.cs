using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Models;

/// <summary>
/// What holds for every decoder, however its attention and its positions work. Texts are longer than the windows, which are 8.
/// </summary>
[Collection(TorchCollection.Name)]
public sealed class DecoderTests
{
    private const string Factors = "\"short_factor\":[1,1,1,1.1,1.1,1.2,1.2,1.3],\"long_factor\":[1,1.5,2,2.5,3,3.5,4,4.5]";

    public static TheoryData<string, string> Models => new()
    {
        { "llama", "{}" },
        { "llama3_rope", "{}" },
        { "llama", """{"rope_scaling":{"rope_type":"linear","factor":4}}""" },
        { "llama", """{"rope_scaling":{"rope_type":"yarn","factor":4,"original_max_position_embeddings":32}}""" },
        { "llama", """{"partial_rotary_factor":0.5}""" },
        { "mistral", "{}" },
        { "qwen2", """{"use_sliding_window":true,"sliding_window":8,"layer_types":null,"max_window_layers":1}""" },
        { "qwen3", """{"use_sliding_window":true,"sliding_window":5,"layer_types":["sliding_attention","full_attention"]}""" },
        { "gemma2", "{}" },
        { "gemma2", """{"attn_logit_softcapping":null,"query_pre_attn_scalar":7}""" },
        { "gemma3_text", "{}" },
        { "phi3", """{"partial_rotary_factor":0.75,"sliding_window":8}""" },
        { "gpt2", "{}" },
        { "gpt2", """{"scale_attn_weights":false,"scale_attn_by_inverse_layer_idx":true}""" },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void A_cache_changes_nothing_however_the_text_is_cut(string name, string options)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var variant = new ModelVariant(name, options);
        using var model = variant.Load();
        var ids = Ids(40);
        var expected = Forward(model, ids, 40);
        foreach (var cuts in new int[][] { [7, 1, 1, 20, 11], [.. Enumerable.Repeat(1, 40)] })
        {
            using var cache = new KvCache(model.Config, 40, model.Device, model.DType);
            var parts = new List<Tensor>();
            foreach (var length in cuts)
            {
                using var pass = new Pass([new Segment(0, length, cache)], model.Device);
                parts.Add(model.Network.Forward(tensor(ids.AsSpan(cache.Length, length).ToArray()), pass));
            }
            Assert.Equal(40, cache.Length);
            var difference = Fixtures.MaxDifference(expected, cat(parts));
            Assert.True(difference < 1e-5 * Math.Max(1, expected.abs().max().item<float>()), $"the largest difference is {difference}");
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Texts_in_one_pass_do_not_see_each_other(string name, string options)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var variant = new ModelVariant(name, options);
        using var model = variant.Load();
        var ids = Ids(42);
        int[] lengths = [5, 5, 17, 1, 9, 5];
        var all = Forward(model, ids, lengths);
        var at = 0;
        foreach (var length in lengths)
        {
            var one = Forward(model, ids[at..(at + length)], length);
            Assert.True(Fixtures.MaxDifference(one, all.narrow(0, at, length)) < 2e-5);
            at += length;
        }
    }

    /// <summary>An option that changed nothing would pass every comparison of a model with itself.</summary>
    [Theory]
    [InlineData("llama", """{"rope_scaling":{"rope_type":"linear","factor":4}}""")]
    [InlineData("llama", """{"rope_scaling":{"rope_type":"yarn","factor":4,"original_max_position_embeddings":32}}""")]
    [InlineData("llama", """{"partial_rotary_factor":0.5}""")]
    [InlineData("llama", """{"hidden_act":"gelu"}""")]
    [InlineData("qwen2", """{"use_sliding_window":true,"sliding_window":8,"layer_types":null,"max_window_layers":1}""")]
    [InlineData("gemma2", """{"attn_logit_softcapping":null}""")]
    [InlineData("gemma2", """{"query_pre_attn_scalar":7}""")]
    [InlineData("gemma3_text", """{"rope_scaling":{"rope_type":"linear","factor":8}}""")]
    [InlineData("gemma3_text", """{"rope_local_base_freq":100}""")]
    [InlineData("gpt2", """{"scale_attn_by_inverse_layer_idx":true}""")]
    [InlineData("gpt2", """{"scale_attn_weights":false}""")]
    public void Each_option_has_an_effect(string name, string options)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var variant = new ModelVariant(name, options);
        using var model = variant.Load();
        using var plain = Fixtures.Case(name);
        var difference = Fixtures.MaxDifference(Forward(model, Ids(20), 20), Forward(plain, Ids(20), 20));
        Assert.True(difference > 1e-3, $"the largest difference is {difference}");
    }

    [Theory]
    [InlineData("llama", """{"max_position_embeddings":16,"rope_scaling":{"rope_type":"dynamic","factor":4}}""", 64)]
    [InlineData("phi3", """{"original_max_position_embeddings":16,"rope_scaling":{"type":"longrope",""" + Factors + "}}", 128)]
    public void Text_that_outgrows_its_positions_goes_on_as_if_it_were_computed_anew(string name, string options, int longest)
    {
        using var scope = NewDisposeScope();
        using var variant = new ModelVariant(name, options);
        using var model = variant.Load();
        Assert.Equal(longest, model.MaxLength);
        Assert.False(model.Network.Outgrows(10, 16));
        Assert.True(model.Network.Outgrows(10, 17));
        var found = Greedy.Generate(model, [.. Ids(10).Select(i => (int)i)], 12);
        var text = Ids(10).ToList();
        using (no_grad())
        {
            foreach (var id in found)
            {
                var logits = model.Network.Logits(Forward(model, [.. text], text.Count).narrow(0, text.Count - 1, 1));
                Assert.Equal(logits.argmax(1).item<long>(), id);
                text.Add(id);
            }
        }
        // A prompt of such a length is not taken in by parts that turn by different angles.
        Assert.Equal(found.Skip(8), Greedy.Generate(model, [.. text.Take(18).Select(i => (int)i)], 4, promptTokens: 3));
        // Nor does a cache pass unnoticed that was filled by other angles.
        using var cache = new KvCache(model.Config, 40, model.Device, model.DType);
        foreach (var (from, to) in new[] { (0, 16), (16, 17) })
        {
            using var pass = new Pass([new Segment(0, to - from, cache)], model.Device);
            void Run() => model.Network.Forward(tensor(text.ToArray()[from..to]), pass);
            if (from == 0) Run();
            else Assert.Contains("compute it anew", Assert.Throws<InvalidOperationException>(Run).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Learned_positions_end()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = Fixtures.Case("gpt2");
        var refusal = Assert.Throws<ArgumentException>(() => Forward(model, Ids(65), 65));
        Assert.Contains("learned 64", refusal.Message, StringComparison.Ordinal);
    }

    private static long[] Ids(int count) => [.. Enumerable.Range(0, count).Select(i => (long)(8 + i * 37 % 370))];

    private static Tensor Forward(BaseModel model, long[] ids, params int[] lengths)
    {
        using var pass = Pass.OfLengths(lengths, model.Device);
        return model.Network.Forward(tensor(ids), pass);
    }
}
