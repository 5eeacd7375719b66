using System.Text;
using Graft.Modeling.Files;
using Graft.Modeling.Tests.Models;
using Graft.Modeling.Tokenizers;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Fuzz;

/// <summary>10,000 damaged files for each parser: a clear error or a right result, in bounded time and memory.</summary>
[Collection(TorchCollection.Name)]
public sealed class ParserFuzzTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("graft-fuzz-");

    [Fact]
    public void Safetensors_files_are_refused_or_read()
    {
        var run = new FuzzRun("safetensors", [Small("lora_llama_all"), Small("rslora_llama")], json: true);
        Assert.True(run.Run(bytes =>
        {
            File.WriteAllBytes(At("model.safetensors"), bytes);
            using var scope = NewDisposeScope();
            using var weights = SafetensorsWeights.Open(folder.FullName);
            foreach (var name in weights.Names) _ = weights.Read(name, weights.ShapeOf(name)!, ScalarType.Float32).sum().item<float>();
        }, e => e is ModelFormatException) > 0);
    }

    /// <summary>What is opened also answers: quantised matrices are read when a token goes through them.</summary>
    [Fact]
    public void Gguf_files_are_refused_or_run()
    {
        var run = new FuzzRun("gguf",
        [
            TinyGguf.Model(sentencePiece: false, [0], 0), TinyGguf.Model(sentencePiece: false, [2, 3], 12),
            TinyGguf.Model(sentencePiece: false, [6, 7], 13), TinyGguf.Model(sentencePiece: true, [8, 1, 30], 14),
            .. ConvertedGguf.Configurations.Select(config => ConvertedGguf.Make(folder.FullName, config)),
        ], json: false);
        Assert.True(run.Run(bytes =>
        {
            File.WriteAllBytes(At("x.gguf"), bytes);
            using var model = BaseModel.Load(At("x.gguf"), new LoadOptions(Fixtures.Cpu, ScalarType.Float32));
            var ids = model.Tokenizer.Encode("ab c\u00e9");
            _ = model.Tokenizer.Decode(ids);
            if (ids.Count == 0) return;
            Greedy.Generate(model, [.. ids.Take(1)], 1);
        }, e => e is ModelFormatException) > 0);
    }

    [Fact]
    public void Loras_in_gguf_are_refused_or_run()
    {
        File.WriteAllBytes(At("base.gguf"), TinyGguf.Model(sentencePiece: false, [0], 0));
        using var model = BaseModel.Load(At("base.gguf"), new LoadOptions(Fixtures.Cpu, ScalarType.Float32));
        var run = new FuzzRun("gguf adapter", [TinyGguf.Lora()], json: false);
        Assert.True(run.Run(bytes =>
        {
            File.WriteAllBytes(At("adapter.gguf"), bytes);
            using var adapter = LoadedAdapter.Load(model, "fuzzed", At("adapter.gguf"));
            new TextGenerator(model).Score([1, 2], adapter);
        }, e => e is ModelFormatException) > 0);
    }

    [Fact]
    public void Tokenizer_files_are_refused_or_read()
    {
        var names = new[] { "byte_bpe", "byte_bpe_llama3", "byte_bpe_qwen2" };
        var run = new FuzzRun("tokenizer.json",
            [.. names.Select(n => File.ReadAllBytes(Fixtures.Path("tokenizers", "small", n, "tokenizer.json")))], json: true);
        var config = ModelConfigReader.FromFolder(Fixtures.Path("models", "llama")) with { VocabularySize = 100_000 };
        Assert.True(run.Run(bytes =>
        {
            File.WriteAllBytes(At("tokenizer.json"), bytes);
            var tokenizer = TokenizerFiles.Read(folder.FullName, config);
            _ = tokenizer.Decode(tokenizer.Encode("Hello w\u00f6rld, 123  <|im_end|> \ud83d\ude00!", addSpecialTokens: true));
        }, e => e is ModelFormatException) > 0);
    }

    [Fact]
    public void Model_configurations_are_refused_or_read()
    {
        var run = new FuzzRun("config.json", [.. Directory.GetDirectories(Fixtures.Path("models"))
            .Order(StringComparer.Ordinal).Select(f => File.ReadAllBytes(Path.Combine(f, "config.json")))], json: true);
        Assert.True(run.Run(bytes =>
        {
            File.WriteAllBytes(At("config.json"), bytes);
            _ = ModelConfigReader.FromFolder(folder.FullName);
        }, e => e is ModelFormatException) > 0);
    }

    [Fact]
    public void Chat_templates_are_refused_or_run()
    {
        var run = new FuzzRun("chat template", [.. new[] { "alpaca", "chatml", "jinja_features", "tools_generation" }
            .Select(n => File.ReadAllBytes(Fixtures.Path("chat", n, "template.jinja")))], json: false);
        ChatMessage[] messages = [new("system", "Be brief."), new("user", "Hi <b> \ud83d\ude00"), new("assistant", "Hello")];
        Assert.True(run.Run(bytes =>
        {
            var template = new ChatTemplate(Encoding.UTF8.GetString(bytes), new Dictionary<string, string> { ["bos_token"] = "<s>" });
            _ = template.Render(messages, addGenerationPrompt: true);
        }, e => e is ChatTemplateException) > 0);
    }

    [Fact]
    public void Adapter_folders_are_refused_or_loaded()
    {
        using var model = Fixtures.Llama();
        var good = Fixtures.Path("peft", "lora_llama_all", "adapter_init");
        var (config, weights) = (File.ReadAllBytes(Path.Combine(good, "adapter_config.json")),
            File.ReadAllBytes(Path.Combine(good, "adapter_model.safetensors")));
        // Either file of the folder, told apart by how they begin.
        var run = new FuzzRun("adapter", [config, config, weights], json: true);
        Assert.True(run.Run(bytes =>
        {
            var isConfig = bytes.Length < 8 || bytes.AsSpan(0, 8).IndexOf((byte)'{') is 0;
            File.WriteAllBytes(At("adapter_config.json"), isConfig ? bytes : config);
            File.WriteAllBytes(At("adapter_model.safetensors"), isConfig ? weights : bytes);
            LoadedAdapter.Load(model, "fuzzed", folder.FullName).Dispose();
        }, e => e is ModelFormatException) > 0);
    }

    public void Dispose() => folder.Delete(recursive: true);

    private string At(string name) => Path.Combine(folder.FullName, name);

    private static byte[] Small(string adapter) =>
        File.ReadAllBytes(Fixtures.Path("peft", adapter, "adapter_init", "adapter_model.safetensors"));
}
