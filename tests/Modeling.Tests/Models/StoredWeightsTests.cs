using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Models;

/// <summary>Files of weights as they are found: other names, tables that nobody needs, and what does not fit.</summary>
[Collection(TorchCollection.Name)]
public sealed class StoredWeightsTests
{
    [Fact]
    public void The_first_gpt2_files_lack_a_prefix_and_hold_masks()
    {
        using var variant = new ModelVariant("gpt2", weights: w => w
            .Select(t => (t.Name["transformer.".Length..], t.Weight))
            .Append(("h.0.attn.bias", ones(1, 1, 64, 64).tril())).Append(("h.1.attn.masked_bias", tensor(-1e4f))));
        AssertSame("gpt2", variant, m => m.Network.Forward);
        using var model = variant.Load();
        Assert.Contains(model.Transformer.Linears, l => l.Name == "transformer.h.1.mlp.c_proj");
    }

    [Fact]
    public void Old_bert_files_call_the_parts_of_a_norm_gamma_and_beta()
    {
        static string Old(string name) => name.Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal)
            .Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal);
        using var variant = new ModelVariant("bert_seqcls", weights: w => w
            .Select(t => (Old(t.Name), t.Weight))
            .Append(("bert.embeddings.position_ids", arange(64, ScalarType.Int64))));
        AssertSame("bert_seqcls", variant, m => m.Classifier.Forward);
    }

    [Fact]
    public void A_bare_encoder_reads_files_with_and_without_the_prefix()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        IEnumerable<(string, Tensor)> Body(IReadOnlyList<(string Name, Tensor Weight)> w) =>
            w.Where(t => t.Name.StartsWith("bert.", StringComparison.Ordinal));
        const string bare = """{"architectures":["BertModel"]}""";
        using var with = new ModelVariant("bert_seqcls", bare, Body);
        using var without = new ModelVariant("bert_seqcls", bare, w => Body(w).Select(t => (t.Item1["bert.".Length..], t.Item2)));
        using var a = with.Load();
        using var b = without.Load();
        Assert.Equal(ModelTask.Embedding, a.Config.Task);
        Assert.Contains(a.Transformer.Linears, l => l.Name == "encoder.layer.0.attention.self.query");
        var ids = tensor(new long[] { 9, 100, 200 });
        using var pass = Pass.OfLengths([3], a.Device);
        Assert.Equal(0, Fixtures.MaxDifference(a.Encoder.Forward(ids, pass), b.Encoder.Forward(ids, pass)));
    }

    [Theory]
    [InlineData("llama", "model.norm.weight", "lm_head.weight")]
    [InlineData("gpt2", "transformer.h.0.attn.c_attn.bias", "transformer.wpe.weight")]
    [InlineData("bert_seqcls", "bert.pooler.dense.bias", "classifier.weight")]
    [InlineData("gemma2", "model.layers.1.pre_feedforward_layernorm.weight", "model.layers.0.self_attn.k_proj.weight")]
    public void What_is_missing_misshapen_or_unexpected_is_told_at_once(string name, string missing, string misshapen)
    {
        using var scope = NewDisposeScope();
        using var variant = new ModelVariant(name, weights: w => w
            .Where(t => t.Name != missing).Select(t => t.Name == misshapen ? (t.Name, ones(2, 3)) : t)
            .Append(("model.vision_tower.weight", ones(2))));
        var message = Assert.Throws<ModelFormatException>(variant.Load).Message;
        foreach (var part in new[] { missing, $"'{misshapen}' is [2, 3]", "model.vision_tower.weight" })
            Assert.Contains(part, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("gemma3_text")]
    [InlineData("phi3")]
    public void A_model_saved_whole_computes_the_same(string name)
    {
        using var model = Fixtures.Case(name);
        using var saved = new ModelVariant(name);
        ModelWriter.Save(model, saved.Folder, ScalarType.Float32);
        AssertSame(name, saved, m => m.Network.Forward);
    }

    private static void AssertSame(string name, ModelVariant variant, Func<BaseModel, Func<Tensor, Pass, Tensor>> run)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = variant.Load();
        using var expected = Fixtures.Case(name);
        var ids = tensor(Enumerable.Range(0, 9).Select(i => 8L + i * 17).ToArray());
        using var pass = Pass.OfLengths([9], model.Device);
        Assert.Equal(0, Fixtures.MaxDifference(run(expected)(ids, pass), run(model)(ids, pass)));
    }
}
