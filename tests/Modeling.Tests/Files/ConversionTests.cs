using Graft.Modeling.Files;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Files;

[Collection(TorchCollection.Name)]
public sealed class ConversionTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("graft-").FullName;

    private string At(string name) => Path.Combine(folder, name);

    private string Make(string name)
    {
        Directory.CreateDirectory(At(name));
        return At(name);
    }

    [Theory]
    [InlineData("byte_bpe-f16", null, "F16")]
    [InlineData("byte_bpe-f16", ScalarType.Float32, "F16")]
    [InlineData("byte_bpe-q4_0", null, "Q4_0")]
    public void A_gguf_file_becomes_a_folder_and_the_same_gguf_file_again(string name, ScalarType? dtype, string? type)
    {
        var original = Fixtures.Path("gguf", name, "model.gguf");
        ModelConversion.ToFolder(original, Make("model"), dtype);
        ModelConversion.ToGguf(At("model"), At("again.gguf"), type);
        SameTensors(original, At("again.gguf"));
        using var one = GgufFile.Open(original);
        using var other = GgufFile.Open(At("again.gguf"));
        foreach (var key in new[] { "tokens", "merges", "pre", "model" })
            Assert.Equal(one.Metadata["tokenizer.ggml." + key], other.Metadata["tokenizer.ggml." + key]);
        foreach (var key in new[] { "tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id" })
            Assert.Equal(one.Number(key), other.Number(key));
        using var before = BaseModel.Load(original, new LoadOptions(Fixtures.Cpu, ScalarType.Float32));
        using var after = BaseModel.Load(At("model"), new LoadOptions(Fixtures.Cpu, ScalarType.Float32));
        Assert.Equal(before.Config with { EosIds = [], StoredType = default, PadId = null },
            after.Config with { EosIds = [], StoredType = default, PadId = null });
        foreach (var text in new[] { "Hello, world 123", "a  b\n\nc", "naïve 漢字 🙂" })
            Assert.Equal(before.Tokenizer.Encode(text), after.Tokenizer.Encode(text));
    }

    [Fact]
    public void Quantised_once_a_model_is_quantised_the_same_way_again()
    {
        ModelConversion.ToFolder(Fixtures.Path("gguf", "byte_bpe-f16", "model.gguf"), Make("model"), null);
        ModelConversion.ToGguf(At("model"), At("once.gguf"), "Q8_0");
        ModelConversion.ToFolder(At("once.gguf"), Make("wide"), null);
        ModelConversion.ToGguf(At("wide"), At("twice.gguf"), "Q8_0");
        SameTensors(At("once.gguf"), At("twice.gguf"));
    }

    [Theory]
    [InlineData("F32", 1e-6)]
    [InlineData("BF16", 0.05)]
    [InlineData("Q8_0", 0.3)]
    public void The_converted_model_answers_as_the_original(string type, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var original = Fixtures.Path("gguf", "byte_bpe-f16", "model.gguf");
        ModelConversion.ToFolder(original, Make("model"), ScalarType.Float32);
        ModelConversion.ToGguf(At("model"), At("x.gguf"), type);
        using var before = GgufCase.Load(original);
        using var after = GgufCase.Load(At("x.gguf"));
        Assert.True(Fixtures.MaxDifference(Logits(before), Logits(after)) < tolerance);
    }

    [Theory]
    [InlineData("llama3_rope")]
    [InlineData("llama")]
    [InlineData("llama_bf16")]
    public void A_folder_keeps_its_rotary_positions_weights_and_chat_template_in_gguf(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var model = Make("model");
        CopyModel(name, model);
        WriteTokenizer(model, """{"type": "ByteLevel", "add_prefix_space": false}""");
        File.WriteAllText(Path.Combine(model, "chat_template.jinja"), "{{ messages[0].content }}");
        ModelConversion.ToGguf(model, At("x.gguf"), null);
        using var before = GgufCase.Load(model);
        using var after = BaseModel.Load(At("x.gguf"), new LoadOptions(Fixtures.Cpu, ScalarType.Float32));
        Assert.True(Fixtures.MaxDifference(Logits(before), Logits(after)) < 1e-5);
        Assert.Equal("{{ messages[0].content }}", after.ChatTemplate!.Source);
        ModelConversion.ToFolder(At("x.gguf"), Make("back"), null);
        using var back = GgufCase.Load(At("back"));
        Assert.True(Fixtures.MaxDifference(Logits(before), Logits(back)) < 1e-5);
    }

    [Theory]
    [InlineData("linear", """{"rope_type": "linear", "factor": 4.0}""")]
    [InlineData("yarn", """{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}""")]
    public void Scaled_rotary_positions_are_metadata(string type, string scaling)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var model = Make("model");
        File.Copy(Fixtures.Path("models", "llama", "model.safetensors"), Path.Combine(model, "model.safetensors"));
        var config = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(Fixtures.Path("models", "llama", "config.json")))!.AsObject();
        config.Remove("rope_parameters");
        config["rope_scaling"] = System.Text.Json.Nodes.JsonNode.Parse(scaling);
        File.WriteAllText(Path.Combine(model, "config.json"), config.ToJsonString());
        WriteTokenizer(model, """{"type": "ByteLevel", "add_prefix_space": false}""");
        ModelConversion.ToGguf(model, At("x.gguf"), null);
        using (var file = GgufFile.Open(At("x.gguf"))) Assert.Equal(type, file.Text("llama.rope.scaling.type"));
        using var before = GgufCase.Load(model);
        using var after = GgufCase.Load(At("x.gguf"));
        Assert.True(Fixtures.MaxDifference(Logits(before), Logits(after)) < 1e-5);
        using var plain = Fixtures.Llama();
        Assert.True(Fixtures.MaxDifference(Logits(before), Logits(plain)) > 1e-3);
    }

    [Theory]
    [InlineData("""{"type": "Whitespace"}""", "pre-tokenizer 'Whitespace'")]
    [InlineData(
        """
        {"type": "Sequence", "pretokenizers": [
          {"type": "Split", "pattern": {"Regex": "x"}, "behavior": "Isolated"}, {"type": "ByteLevel", "use_regex": false}]}
        """,
        "none that llama.cpp has a name for")]
    public void A_tokenizer_that_gguf_cannot_say_is_refused(string preTokenizer, string message)
    {
        var model = Make("model");
        CopyModel("llama", model);
        WriteTokenizer(model, preTokenizer);
        var thrown = Assert.Throws<ModelFormatException>(() => ModelConversion.ToGguf(model, At("x.gguf"), null));
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_does_not_generate_is_refused_by_name()
    {
        var model = Make("model");
        CopyModel("bert_seqcls", model);
        var thrown = Assert.Throws<ModelFormatException>(() => ModelConversion.ToGguf(model, At("x.gguf"), null));
        Assert.Contains("BertForSequenceClassification", thrown.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static void CopyModel(string name, string to)
    {
        foreach (var file in new[] { "config.json", "model.safetensors" })
            File.Copy(Fixtures.Path("models", name, file), Path.Combine(to, file));
    }

    private static void WriteTokenizer(string model, string preTokenizer) => File.WriteAllText(Path.Combine(model, "tokenizer.json"), $$"""
        {"added_tokens": [{"id": 2, "content": "<|end|>", "special": true,
           "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}],
         "pre_tokenizer": {{preTokenizer}}, "decoder": {"type": "ByteLevel"},
         "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 3}, "merges": [["a", "b"]]} }
        """);

    private static Tensor Logits(BaseModel model)
    {
        var ids = tensor(new long[] { 9, 100, 20, 33, 57, 120, 8 });
        using var pass = Pass.OfLengths([7], model.Device);
        return model.Network.Logits(model.Network.Forward(ids, pass));
    }

    private static void SameTensors(string path, string other)
    {
        using var scope = NewDisposeScope();
        using var one = GgufFile.Open(path);
        using var two = GgufFile.Open(other);
        Assert.Equal(one.Tensors.Keys.Order(StringComparer.Ordinal), two.Tensors.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, tensor) in one.Tensors)
        {
            using var a = new GgufMatrix(one, tensor);
            using var b = new GgufMatrix(two, two.Tensors[name]);
            Assert.Equal((name, a.Format), (name, b.Format));
            Assert.Equal(tensor.Shape, two.Tensors[name].Shape);
            Assert.Equal(0, Fixtures.MaxDifference(a.Widen(0, a.Rows, ScalarType.Float32), b.Widen(0, b.Rows, ScalarType.Float32)));
        }
    }
}
