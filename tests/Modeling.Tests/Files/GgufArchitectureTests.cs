using System.Globalization;
using System.Text.Json.Nodes;
using Graft.Modeling.Files;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Files;

/// <summary>
/// Models of each architecture that GGUF files are read and written of. What is in a file is compared with what llama.cpp's sources say,
/// since a writer and a reader may make the same mistake.
/// </summary>
[Collection(TorchCollection.Name)]
public sealed class GgufArchitectureTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("graft-").FullName;

    private string Target => Path.Combine(folder, "x.gguf");

    public static TheoryData<string> Models => ["llama", "qwen2", "qwen3", "gemma2", "gemma3_text", "phi3", "gpt2"];

    [Theory]
    [MemberData(nameof(Models))]
    public void A_model_computes_the_same_from_gguf_and_from_the_folder_that_it_becomes_again(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        ModelConversion.ToGguf(TinyModel.Make(folder, name), Target, "F32");
        using var before = Fixtures.Llama(name: name);
        using var after = BaseModel.Load(Target, new LoadOptions(Fixtures.Cpu, ScalarType.Float32));
        Assert.Equal(0, Fixtures.MaxDifference(TinyModel.Logits(before), TinyModel.Logits(after)), 1e-5);
        Assert.Equal(0, TinyModel.DifferenceToReference(name, after), 1e-4);
        Assert.Equal(Comparable(before.Config), Comparable(after.Config));
        var back = Directory.CreateDirectory(Path.Combine(folder, "back")).FullName;
        ModelConversion.ToFolder(Target, back, null);
        using var again = BaseModel.Load(back, new LoadOptions(Fixtures.Cpu, ScalarType.Float32));
        Assert.Equal(0, Fixtures.MaxDifference(TinyModel.Logits(before), TinyModel.Logits(again)), 1e-5);
        Assert.Equal(Comparable(before.Config), Comparable(again.Config));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_quantised_model_stays_packed_and_is_within_its_rounding(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        ModelConversion.ToGguf(TinyModel.Make(folder, name), Target, "Q8_0");
        using var before = Fixtures.Llama(name: name);
        using var after = GgufCase.Load(Target);
        Assert.Equal(["Q8_0"], after.PackedFormats);
        var (wanted, found) = (TinyModel.Logits(before), TinyModel.Logits(after));
        Assert.InRange(Fixtures.MaxDifference(wanted, found), 1e-9, 0.05 * wanted.abs().max().item<float>() + 0.02);
    }

    /// <summary>Names as in MODEL_TENSORS and TENSOR_NAMES of llama.cpp's <c>gguf-py/gguf/constants.py</c>.</summary>
    [Theory]
    [InlineData("llama", "attn_norm.weight attn_q.weight attn_k.weight attn_v.weight attn_output.weight ffn_norm.weight ffn_gate.weight "
        + "ffn_up.weight ffn_down.weight")]
    [InlineData("qwen2", "attn_norm.weight attn_q.weight attn_q.bias attn_k.weight attn_k.bias attn_v.weight attn_v.bias "
        + "attn_output.weight ffn_norm.weight ffn_gate.weight ffn_up.weight ffn_down.weight")]
    [InlineData("qwen3", "attn_norm.weight attn_q.weight attn_q_norm.weight attn_k.weight attn_k_norm.weight attn_v.weight "
        + "attn_output.weight ffn_norm.weight ffn_gate.weight ffn_up.weight ffn_down.weight")]
    [InlineData("gemma2", "attn_norm.weight attn_q.weight attn_k.weight attn_v.weight attn_output.weight post_attention_norm.weight "
        + "ffn_norm.weight ffn_gate.weight ffn_up.weight ffn_down.weight post_ffw_norm.weight")]
    [InlineData("gemma3_text", "attn_norm.weight attn_q.weight attn_q_norm.weight attn_k.weight attn_k_norm.weight attn_v.weight "
        + "attn_output.weight post_attention_norm.weight ffn_norm.weight ffn_gate.weight ffn_up.weight ffn_down.weight "
        + "post_ffw_norm.weight")]
    [InlineData("phi3", "attn_norm.weight attn_qkv.weight attn_output.weight ffn_norm.weight ffn_up.weight ffn_down.weight")]
    [InlineData("gpt2", "attn_norm.weight attn_norm.bias attn_qkv.weight attn_qkv.bias attn_output.weight attn_output.bias "
        + "ffn_norm.weight ffn_norm.bias ffn_up.weight ffn_up.bias ffn_down.weight ffn_down.bias")]
    public void Tensors_have_the_names_of_llama_cpp(string name, string inBlock)
    {
        ModelConversion.ToGguf(TinyModel.Make(folder, name), Target, "F32");
        using var file = GgufFile.Open(Target);
        var blocks = file.Number($"{file.Text("general.architecture")}.block_count")!.Value;
        var wanted = Enumerable.Range(0, blocks).SelectMany(b => inBlock.Split(' ').Select(t => $"blk.{b}.{t}"))
            .Concat(["token_embd.weight", "output_norm.weight"]);
        if (name is "llama" or "qwen3" or "phi3") wanted = wanted.Append("output.weight");
        if (name == "gpt2") wanted = wanted.Concat(["output_norm.bias", "position_embd.weight"]);
        Assert.Equal(wanted.Order(StringComparer.Ordinal), file.Tensors.Keys.Order(StringComparer.Ordinal));
    }

    /// <summary>Keys as in class Keys of <c>constants.py</c>; values are the fixtures' config.json by <c>conversion/*.py</c>.</summary>
    [Theory]
    [InlineData("qwen2", "qwen2.context_length=128 qwen2.embedding_length=64 qwen2.block_count=2 qwen2.feed_forward_length=128 "
        + "qwen2.attention.head_count=4 qwen2.attention.head_count_kv=2 qwen2.rope.freq_base=1000000")]
    [InlineData("qwen3", "qwen3.attention.key_length=32 qwen3.attention.value_length=32 qwen3.rope.freq_base=1000000")]
    [InlineData("gemma2", "gemma2.attention.sliding_window=8 gemma2.attn_logit_softcapping=2 gemma2.final_logit_softcapping=3 "
        + "gemma2.attention.key_length=16 gemma2.context_length=128")]
    [InlineData("gemma3_text", "gemma3.attention.sliding_window=8 gemma3.rope.freq_base=1000000 gemma3.rope.freq_base_swa=10000 "
        + "gemma3.attention.sliding_window_pattern=3 gemma3.attention.key_length=16")]
    [InlineData("phi3", "phi3.attention.sliding_window=0 phi3.rope.dimension_count=16 phi3.feed_forward_length=128")]
    [InlineData("gpt2", "gpt2.context_length=64 gpt2.embedding_length=64 gpt2.feed_forward_length=256 gpt2.block_count=2 "
        + "gpt2.attention.head_count=4")]
    public void Metadata_have_the_keys_of_llama_cpp(string name, string values)
    {
        ModelConversion.ToGguf(TinyModel.Make(folder, name), Target, "F32");
        using var file = GgufFile.Open(Target);
        Assert.Equal(values.Split(' ')[0].Split('.')[0], file.Text("general.architecture"));
        foreach (var pair in values.Split(' ').Select(v => v.Split('=')))
            Assert.Equal((pair[0], double.Parse(pair[1], CultureInfo.InvariantCulture)), (pair[0], file.Fraction(pair[0])));
        var epsilon = name == "gpt2" ? "layer_norm_epsilon" : "layer_norm_rms_epsilon";
        Assert.InRange(file.Fraction($"{file.Text("general.architecture")}.attention.{epsilon}")!.Value, 0.9e-6, 1.1e-5);
    }

    /// <summary>
    /// <c>modify_tensors</c> of llama.cpp's <c>conversion/gemma.py</c> adds one to what ends in norm.weight, and to nothing else.
    /// </summary>
    [Theory]
    [InlineData("gemma2", "blk.1.post_ffw_norm.weight", "model.layers.1.post_feedforward_layernorm.weight", 1)]
    [InlineData("gemma3_text", "blk.0.attn_q_norm.weight", "model.layers.0.self_attn.q_norm.weight", 1)]
    [InlineData("gemma3_text", "output_norm.weight", "model.norm.weight", 1)]
    [InlineData("gemma3_text", "blk.0.attn_q.weight", "model.layers.0.self_attn.q_proj.weight", 0)]
    [InlineData("qwen3", "blk.0.attn_q_norm.weight", "model.layers.0.self_attn.q_norm.weight", 0)]
    [InlineData("qwen3", "blk.1.attn_q.weight", "model.layers.1.self_attn.q_proj.weight", 0)]
    [InlineData("phi3", "blk.1.ffn_up.weight", "model.layers.1.mlp.gate_up_proj.weight", 0)]
    public void Weights_lie_as_they_are_but_for_the_one_of_gemmas_norms(string name, string stored, string original, int shift)
    {
        using var scope = NewDisposeScope();
        ModelConversion.ToGguf(TinyModel.Make(folder, name), Target, "F32");
        using var file = GgufFile.Open(Target);
        using var weights = SafetensorsFile.Open(Fixtures.Path("models", name, "model.safetensors"));
        using var matrix = new GgufMatrix(file, file.Tensors[stored]);
        var wanted = weights.Map(original).to_type(ScalarType.Float32);
        Assert.Equal(wanted.shape, file.Tensors[stored].Shape);
        Assert.Equal(0, Fixtures.MaxDifference(wanted.add(shift).flatten(), matrix.Widen(0, matrix.Rows, ScalarType.Float32).flatten()));
    }

    /// <summary><c>conversion/gpt2.py</c> transposes c_attn, c_proj and c_fc, of which Hugging Face's are (in, out).</summary>
    [Theory]
    [InlineData("blk.1.attn_qkv.weight", "transformer.h.1.attn.c_attn.weight")]
    [InlineData("blk.0.ffn_down.weight", "transformer.h.0.mlp.c_proj.weight")]
    public void Linear_layers_of_gpt2_are_turned(string stored, string original)
    {
        using var scope = NewDisposeScope();
        ModelConversion.ToGguf(TinyModel.Make(folder, "gpt2"), Target, "F32");
        using var file = GgufFile.Open(Target);
        using var weights = SafetensorsFile.Open(Fixtures.Path("models", "gpt2", "model.safetensors"));
        using var matrix = new GgufMatrix(file, file.Tensors[stored]);
        Assert.Equal(0, Fixtures.MaxDifference(weights.Map(original).t(), matrix.Widen(0, matrix.Rows, ScalarType.Float32)));
    }

    [Fact]
    public void Long_and_short_factors_of_phi3_are_tensors_and_come_back()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var scaling = new JsonObject
        {
            ["type"] = "longrope", ["short_factor"] = new JsonArray([.. Enumerable.Range(0, 6).Select(i => (JsonNode)(1 + 0.1 * i))]),
            ["long_factor"] = new JsonArray([.. Enumerable.Range(0, 6).Select(i => (JsonNode)(2.0 + i))]),
        };
        var model = TinyModel.Make(folder, "phi3", c =>
        {
            (c["rope_scaling"], c["original_max_position_embeddings"], c["partial_rotary_factor"]) = (scaling, 5, 0.75);
        });
        ModelConversion.ToGguf(model, Target, "F32");
        using (var file = GgufFile.Open(Target))
        {
            Assert.Equal([6L], file.Tensors["rope_factors_long.weight"].Shape);
            Assert.Equal([6L], file.Tensors["rope_factors_short.weight"].Shape);
            Assert.Equal((5, 12), (file.Number("phi3.rope.scaling.original_context_length"), file.Number("phi3.rope.dimension_count")));
            // sqrt(1 + ln(128 / 5) / ln(5)), as in conversion/phi.py.
            Assert.Equal(Math.Sqrt(1 + Math.Log(128 / 5.0) / Math.Log(5)), file.Fraction("phi3.rope.scaling.attn_factor")!.Value, 1e-6);
        }
        using var before = GgufCase.Load(model);
        using var after = GgufCase.Load(Target);
        foreach (var length in new[] { 4, 7 })
            Assert.Equal(0, Fixtures.MaxDifference(TinyModel.Logits(before, length), TinyModel.Logits(after, length)), 1e-5);
        using var plain = Fixtures.Llama(name: "phi3");
        Assert.NotEqual(0, Fixtures.MaxDifference(TinyModel.Logits(before), TinyModel.Logits(plain)), 1e-3);
    }

    [Theory]
    [InlineData("qwen2", """{"use_sliding_window": true, "sliding_window": 8, "layer_types": null, "max_window_layers": 1}""",
        "sliding_window is 8")]
    [InlineData("mistral", """{"sliding_window": 8}""", "sliding_window is 8")]
    [InlineData("gemma2", """{"query_pre_attn_scalar": 64}""", "query_pre_attn_scalar: scores are scaled by 0.125")]
    [InlineData("gemma2", """{"attn_logit_softcapping": null}""", "attn_logit_softcapping is null")]
    [InlineData("gemma2", """{"hidden_activation": "silu"}""", "hidden_activation is 'silu'")]
    [InlineData("gpt2", """{"scale_attn_by_inverse_layer_idx": true}""", "scores are scaled by")]
    [InlineData("qwen3", """{"rope_parameters": {"rope_theta": 10000.0, "rope_type": "dynamic", "factor": 2.0}}""",
        "rope scaling 'dynamic'")]
    [InlineData("gemma3_text",
        """{"layer_types": ["full_attention", "sliding_attention", "full_attention", "full_attention"]}""", "layer_types")]
    public void What_llama_cpp_would_compute_otherwise_is_refused_by_name(string name, string changes, string message)
    {
        var model = TinyModel.Make(folder, name, config =>
        {
            foreach (var (field, value) in JsonNode.Parse(changes)!.AsObject()) config[field] = value?.DeepClone();
        });
        var thrown = Assert.Throws<ModelFormatException>(() => ModelConversion.ToGguf(model, Target, "F32"));
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Target));
    }

    [Theory]
    [InlineData("qwen2", "qwen2.attention.scale", 0.5f, "qwen2.attention.scale")]
    [InlineData("gemma2", "gemma2.rope.freq_base_swa", 5f, "gemma2.rope.freq_base_swa")]
    [InlineData("gpt2", "gpt2.rope.freq_base", 5f, "gpt2.rope.freq_base")]
    [InlineData("qwen3", "qwen3.expert_count", 8u, "qwen3.expert_count")]
    [InlineData("qwen2", "qwen2.attention.sliding_window", 16u, "qwen2.attention.sliding_window")]
    public void An_option_that_is_not_known_is_refused_by_name(string name, string key, object value, string message)
    {
        Rewrite(name, [(key, value)], []);
        var thrown = Assert.Throws<ModelFormatException>(() => GgufCase.Load(Target));
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("qwen3", "blk.0.attn_q.bias")]
    [InlineData("gemma2", "blk.0.attn_q_norm.weight")]
    [InlineData("qwen2", "rope_freqs.weight")]
    [InlineData("gemma3_text", "output.weight")]
    public void A_tensor_that_the_architecture_does_not_have_is_refused_by_name(string name, string tensor)
    {
        Rewrite(name, [], [new GgufOutput(tensor, GgufType.Named("F32")!, [4], 16, s => s.Write(new byte[16]))]);
        var thrown = Assert.Throws<ModelFormatException>(() => GgufCase.Load(Target));
        Assert.Contains(tensor, thrown.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static ModelConfig Comparable(ModelConfig config) => config with
    {
        EosIds = [], BosId = null, PadId = null, StoredType = default, NormEpsilon = Math.Round(config.NormEpsilon, 9), Labels = [],
        InitializerRange = 0,
    };

    /// <summary>The converted model with more metadata and tensors.</summary>
    private void Rewrite(string name, (string, object)[] more, GgufOutput[] tensors)
    {
        var plain = Path.Combine(folder, "plain.gguf");
        ModelConversion.ToGguf(TinyModel.Make(folder, name), plain, "F32");
        using var file = GgufFile.Open(plain);
        object Value(object value) => value switch
        {
            long n => (uint)n,
            double d => (float)d,
            _ => value,
        };
        var metadata = file.Metadata.Where(m => m.Value is not object[] && !m.Key.StartsWith("tokenizer.", StringComparison.Ordinal))
            .Select(m => (m.Key, Value(m.Value))).Concat(more).ToList();
        unsafe byte[] Bytes(GgufTensor t) => new ReadOnlySpan<byte>(file.Address(t), (int)t.Bytes).ToArray();
        GgufWriter.Write(Target, metadata,
            [.. file.Tensors.Values.Select(t => new GgufOutput(t.Name, t.Type, t.Shape, t.Bytes, s => s.Write(Bytes(t)))), .. tensors]);
    }
}
