using Graft.Contract;
using Graft.Modeling.Adapters;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters.Merging;

/// <summary>Adapters in the weights of a model in memory, and out of them again.</summary>
[Collection(TorchCollection.Name)]
public sealed class MergedAdapterTests
{
    [Theory]
    [InlineData("lora_llama_all")]
    [InlineData("lora_llama_default_qv")]
    [InlineData("rslora_llama")]
    public void A_merged_model_gives_pefts_logits_and_the_base_is_as_it_was_afterwards(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = Fixtures.Llama();
        using var expected = SafetensorsFile.Open(Fixtures.Path("peft", name, "expected.safetensors"));
        using var adapter = LoadedAdapter.Load(model, "a", Fixtures.Path("peft", name, "adapter_final"));
        var (ids, lengths) = Fixtures.Rows(expected.Map("input_ids"), expected.Map("attention_mask"));
        Tensor Answer()
        {
            using var pass = Pass.OfLengths(lengths, model.Device);
            return model.Network.Logits(model.Network.Forward(tensor(ids), pass));
        }
        var (weights, bytes, before) = (model.Network.Weights.ToList(), TestAdapters.Bytes(model), Answer());
        Assert.True(adapter.Facts.Mergeable);

        var merged = MergedAdapter.Into(model, adapter);
        var wanted = expected.Map("logits_merged");
        Assert.True(Fixtures.MaxDifference(Answer(), cat([.. lengths.Select((l, r) => wanted[r].narrow(0, 0, l))])) < 2e-5);
        Assert.True(Fixtures.MaxDifference(Answer(), before) > 1e-2);
        merged.Dispose();

        Assert.Equal(weights, model.Network.Weights);
        Assert.Equal(bytes, TestAdapters.Bytes(model));
        Assert.Equal(0, Fixtures.MaxDifference(before, Answer()));
    }

    /// <summary>Every option that PEFT's LoRA has: magnitudes, patterns, turned weights, heads that train whole.</summary>
    [Theory]
    [InlineData("dora_llama", "llama")]
    [InlineData("lora_rank_pattern", "llama")]
    [InlineData("loraplus_llama", "llama")]
    [InlineData("lora_gpt2", "gpt2")]
    [InlineData("lora_qwen3", "qwen3")]
    [InlineData("lora_bert_seqcls", "bert_seqcls")]
    [InlineData("lora_llama_seqcls", "llama_seqcls")]
    public void Every_variant_of_lora_gives_pefts_merged_logits(string name, string model)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var opened = Fixtures.Case(model);
        using var expected = SafetensorsFile.Open(Fixtures.Path("peft", name, "expected.safetensors"));
        using var adapter = LoadedAdapter.Load(opened, "a", Fixtures.Path("peft", name, "adapter_final"));
        var (ids, lengths) = Fixtures.Rows(expected.Map("input_ids"), expected.Map("attention_mask"));
        var before = TestAdapters.Bytes(opened);
        var wanted = expected.Map("logits_merged");
        using (MergedAdapter.Into(opened, adapter))
        {
            using var pass = Pass.OfLengths(lengths, opened.Device);
            var found = opened.Transformer is SequenceClassifier classifier ? classifier.Forward(tensor(ids), pass)
                : opened.Network.Logits(opened.Network.Forward(tensor(ids), pass));
            var rows = wanted.dim() == 2 ? wanted : cat([.. lengths.Select((l, r) => wanted[r].narrow(0, 0, l))]);
            Assert.True(Fixtures.MaxDifference(found, rows) < 1e-4);
        }
        Assert.Equal(before, TestAdapters.Bytes(opened));
    }

    // bfloat16, biases, weights stored as (in, out), fused projections, heads of classifiers.
    [Theory]
    [InlineData("llama_bf16", ScalarType.BFloat16, 0.1)]
    [InlineData("qwen2", ScalarType.Float32, 2e-5)]
    [InlineData("gpt2", ScalarType.Float32, 2e-5)]
    [InlineData("phi3", ScalarType.Float32, 2e-5)]
    [InlineData("gemma2", ScalarType.Float32, 2e-5)]
    [InlineData("bert_seqcls", ScalarType.Float32, 2e-5)]
    [InlineData("roberta_seqcls", ScalarType.Float32, 2e-5)]
    [InlineData("llama_seqcls", ScalarType.Float32, 2e-5)]
    public void Every_kind_of_linear_layer_answers_alike_with_the_adapter_in_it_and_beside_it(
        string name, ScalarType dtype, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Case(name, dtype);
        using var adapter = TestAdapters.Lora(model, seed: 1, heads: true);
        var (bytes, plain, beside) = (TestAdapters.Bytes(model), TestAdapters.Logits(model), TestAdapters.Logits(model, adapter));

        using (MergedAdapter.Into(model, adapter))
        {
            Assert.True(Fixtures.MaxDifference(beside, TestAdapters.Logits(model)) < tolerance);
            Assert.All(model.Transformer.Weights, w => Assert.Equal(dtype, w.Weight.dtype));
        }

        Assert.True(Fixtures.MaxDifference(beside, plain) > tolerance);
        Assert.Equal(bytes, TestAdapters.Bytes(model));
        Assert.Equal(0, Fixtures.MaxDifference(plain, TestAdapters.Logits(model)));
    }

    [Fact]
    public void Adapters_are_merged_one_on_another_and_taken_out_in_the_reverse_order()
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Llama();
        using var first = TestAdapters.Lora(model, seed: 1);
        using var second = TestAdapters.Lora(model, seed: 2);
        var (bytes, withFirst) = (TestAdapters.Bytes(model), TestAdapters.Logits(model, first));

        var below = MergedAdapter.Into(model, first);
        var beside = TestAdapters.Logits(model, second);
        var above = MergedAdapter.Into(model, second);
        Assert.True(Fixtures.MaxDifference(beside, TestAdapters.Logits(model)) < 2e-5);
        Assert.Contains("merged on top", Assert.Throws<InvalidOperationException>(below.Dispose).Message, StringComparison.Ordinal);
        above.Dispose();
        Assert.True(Fixtures.MaxDifference(withFirst, TestAdapters.Logits(model)) < 2e-5);
        below.Dispose();
        below.Dispose();

        Assert.Equal(bytes, TestAdapters.Bytes(model));
    }

    [Theory]
    [InlineData("qwen2")]
    [InlineData("gemma2")]
    public void A_changed_table_of_embeddings_leaves_the_output_head_that_was_tied_to_it(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Case(name);
        Assert.True(model.Config.TiedEmbeddings);
        using var adapter = TestAdapters.Table(model, seed: 3);
        var (plain, beside) = (TestAdapters.Logits(model), TestAdapters.Logits(model, adapter));
        var names = model.Network.Weights.Select(w => w.Name).ToList();

        using (MergedAdapter.Into(model, adapter))
        {
            Assert.True(Fixtures.MaxDifference(beside, TestAdapters.Logits(model)) < 2e-5);
            Assert.Equal([.. names, "lm_head.weight"], model.Network.Weights.Select(w => w.Name));
        }

        Assert.True(Fixtures.MaxDifference(beside, plain) > 1e-3);
        Assert.Equal(0, Fixtures.MaxDifference(plain, TestAdapters.Logits(model)));
        Assert.Equal(names, model.Network.Weights.Select(w => w.Name));
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    public void Packed_weights_take_an_adapter_only_where_they_may_become_dense(string name)
    {
        using var scope = NewDisposeScope();
        using var model = BaseModel.Load(Fixtures.Path("models", name), new LoadOptions(
            Fixtures.Cpu, ScalarType.Float32, RequireTokenizer: false, Quantization: new Quantization { Nf4 = new Nf4Quantization() }));
        using var adapter = TestAdapters.Lora(model, seed: 4);
        var (plain, beside) = (TestAdapters.Logits(model), TestAdapters.Logits(model, adapter));

        var refused = Assert.Throws<TuningException>(() => MergedAdapter.Into(model, adapter));
        Assert.Contains("NF4", refused.Message, StringComparison.Ordinal);
        using (MergedAdapter.Into(model, adapter, dequantize: true))
        {
            Assert.Empty(model.PackedFormats);
            Assert.True(Fixtures.MaxDifference(beside, TestAdapters.Logits(model)) < 2e-5);
        }

        Assert.Equal(["NF4"], model.PackedFormats);
        Assert.Equal(0, Fixtures.MaxDifference(plain, TestAdapters.Logits(model)));
    }

    [Fact]
    public void What_stands_before_the_text_cannot_be_merged()
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Llama();
        using var adapter = TestAdapters.Of(model, new Attachment { Prompt = new Prompt() });

        var refused = Assert.Throws<TuningException>(() => MergedAdapter.Into(model, adapter));

        Assert.Contains("virtual tokens before the text", refused.Message, StringComparison.Ordinal);
        Assert.Contains("serve it beside its base", refused.Message, StringComparison.Ordinal);
    }

    private sealed class Prompt : SoftPrompt
    {
        public override int Length => 2;

        public override Tensor Vectors(ScalarType dtype) => zeros(2, 64, dtype);

        public override void Dispose()
        {
        }
    }
}
