using System.Text.Json.Nodes;
using Graft.Modeling.Tests.Adapters.Combining;
using Graft.Modeling.Tests.Adapters.Merging;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters;

/// <summary>LoRAs written for llama.cpp, and read back.</summary>
[Collection(TorchCollection.Name)]
public sealed class GgufLoraExportTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("graft-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void Pefts_adapter_becomes_the_very_file_that_the_reference_wrote()
    {
        var reference = Fixtures.Path("gguf", "lora-sp_bpe");

        GgufLoraExport.Write(reference, Fixtures.Path("gguf", "sp_bpe-f32", "model.gguf"), Output, "F32");

        Assert.Equal(Contents(Path.Combine(reference, "adapter.gguf")), Contents(Output));
    }

    [Theory]
    [InlineData("lora_llama_all", "F32", 2e-5)]
    [InlineData("rslora_llama", "F32", 2e-5)]
    [InlineData("rslora_llama", "F16", 5e-3)]
    [InlineData("rslora_llama", "BF16", 5e-2)]
    public void What_is_read_back_answers_alike(string name, string type, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Llama();
        var source = Fixtures.Path("peft", name, "adapter_final");
        using var original = LoadedAdapter.Load(model, "a", source);

        GgufLoraExport.Write(source, Fixtures.Path("models", "llama"), Output, type);

        using var written = LoadedAdapter.Load(model, "b", Output);
        Assert.True(Fixtures.MaxDifference(TestAdapters.Logits(model, original), TestAdapters.Logits(model, written)) < tolerance);
        Assert.Equal(type, written.Facts.Dtype);
    }

    [Theory]
    [InlineData("qwen2")]
    [InlineData("gpt2")]
    [InlineData("phi3")]
    public void Every_architecture_finds_its_modules_again(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Case(name);
        var source = LoraFiles.Write(Path.Combine(folder.FullName, "adapter"), 1, 0.04,
            [.. model.Network.Linears.Select(s => (s.Name, s.OutFeatures, s.InFeatures, 2))]);
        using var original = LoadedAdapter.Load(model, "a", source);

        GgufLoraExport.Write(source, Fixtures.Path("models", name), Output, "F32");

        using var written = LoadedAdapter.Load(model, "b", Output);
        Assert.Equal(0, Fixtures.MaxDifference(TestAdapters.Logits(model, original), TestAdapters.Logits(model, written)), 1e-4);
        Assert.True(Fixtures.MaxDifference(TestAdapters.Logits(model), TestAdapters.Logits(model, written)) > 1e-2);
    }

    [Fact]
    public void What_modules_count_otherwise_than_most_goes_into_their_b()
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Llama();
        const string q = "model.layers.0.self_attn.q_proj", v = "model.layers.0.self_attn.v_proj", up = "model.layers.1.mlp.up_proj";
        var source = LoraFiles.Write(Path.Combine(folder.FullName, "adapter"), 1, 8, [(q, 64, 64, 4), (up, 128, 64, 2), (v, 32, 64, 4)],
            config => (config["alpha_pattern"], config["rank_pattern"]) =
                (new JsonObject { ["v_proj"] = 20 }, new JsonObject { ["up_proj"] = 2 }));

        GgufLoraExport.Write(source, Fixtures.Path("models", "llama"), Output, "F32");

        using var file = GgufFile.Open(Output);
        Assert.Equal(8, file.Fraction("adapter.lora.alpha"));
        using var written = LoadedAdapter.Load(model, "b", Output);
        foreach (var (module, scale) in new[] { (q, 2.0), (up, 4.0), (v, 5.0) })
        {
            var layer = (Modeling.Adapters.LoraLayer)written.Attachment.At(model.Network.Linears.Single(s => s.Name == module))!;
            var (a, b) = LoraFiles.Read(source, module);
            var found = layer.B.matmul(layer.A).mul(layer.Scale).to_type(ScalarType.Float64);
            Assert.True(Fixtures.MaxDifference(tensor(LoraFiles.Product((a, b), scale)), found) < 1e-4, module);
        }
    }

    [Fact]
    public void A_rank_that_the_configuration_does_not_say_is_named()
    {
        const string q = "model.layers.0.self_attn.q_proj", up = "model.layers.1.mlp.up_proj";
        var source = LoraFiles.Write(Path.Combine(folder.FullName, "adapter"), 1, 8, [(q, 64, 64, 4), (up, 128, 64, 2)]);

        var thrown = Assert.Throws<ModelFormatException>(() => GgufLoraExport.Write(source, Fixtures.Path("models", "llama"), Output, "F32"));

        Assert.Contains("up_proj.lora_A.weight' has the rank 2, and adapter_config.json says 4", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_llama_cpp_has_no_place_for_is_named()
    {
        const string q = "model.layers.0.self_attn.q_proj";
        string Refused(string base_, (string, int, int, int)[] modules, Action<JsonObject>? change = null)
        {
            var source = LoraFiles.Write(Path.Combine(folder.FullName, Guid.NewGuid().ToString("n")), 1, 8, modules, change);
            var model = Fixtures.Path("models", base_);
            return Assert.Throws<ModelFormatException>(() => GgufLoraExport.Write(source, model, Output, "F32")).Message;
        }

        (string, int, int, int) query = (q, 64, 64, 2);
        Found("use_dora is true", Refused("llama", [query], c => c["use_dora"] = true));
        Found("bias is 'lora_only'", Refused("llama", [query], c => c["bias"] = "lora_only"));
        Found("modules_to_save", Refused("llama", [query], c => c["modules_to_save"] = new JsonArray("lm_head")));
        Found("model.layers.0.nothing", Refused("llama", [query, ("model.layers.0.nothing", 4, 4, 2)]));
        Found("lm_head", Refused("qwen2", [("lm_head", 256, 64, 2)]));
        Found("model_type is 'bert'", Refused("bert_seqcls", [query]));
        Assert.False(File.Exists(Output));

        static void Found(string part, string message) => Assert.Contains(part, message, StringComparison.Ordinal);
    }

    private string Output => Path.Combine(folder.FullName, "adapter.gguf");

    /// <summary>Byte for byte, but as text where it differs.</summary>
    private static string Contents(string path) => Convert.ToHexString(File.ReadAllBytes(path));
}
