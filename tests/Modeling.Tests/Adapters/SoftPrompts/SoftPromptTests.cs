using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Contract;
using Graft.Modeling.Adapters;
using Graft.Modeling.Tests.Models;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters.SoftPrompts;

/// <summary>How virtual tokens begin, what of them is refused, and from what training goes on.</summary>
[Collection(TorchCollection.Name)]
public sealed class SoftPromptTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("graft-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Prompts_begin_as_sampled_tokens_unless_told_otherwise()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        Tensor First(PromptInitialization? initialization, ulong seed)
        {
            using var model = Fixtures.Llama();
            var options = new Method { PromptTuning = new PromptTuningMethod(40, initialization) };
            using var method = SoftPromptCase.Attached(model, options, seed);
            return method.Trainable[0].Parameter.detach().clone();
        }
        using var llama = Fixtures.Llama();
        var table = llama.Network.Weights.First(w => w.Name == "model.embed_tokens.weight").Weight;
        var sampled = First(null, 1);
        Assert.InRange(sampled.unsqueeze(1).sub(table).abs().amax([2]).amin([1]).max().item<float>(), 0, 0);
        var named = First(new PromptInitialization { SampledVocabulary = new SampledVocabulary() }, 1);
        Assert.Equal(0, Fixtures.MaxDifference(sampled, named));
        Assert.True(Fixtures.MaxDifference(sampled, First(null, 2)) > 1e-2);
        Assert.InRange(First(new PromptInitialization { Random = new RandomInitialization() }, 1).std().item<float>(), 0.9, 1.1);
    }

    [Fact]
    public void A_text_is_repeated_or_cut_to_the_virtual_tokens_with_its_special_tokens()
    {
        var tokenizer = new FewTokens();
        Assert.Equal([1L, 5, 6, 1, 5], PromptTuning.OfText(tokenizer, "five six", 384, 5));
        Assert.Equal([1L, 5], PromptTuning.OfText(tokenizer, "five six", 384, 2));
        var thrown = Assert.Throws<TuningException>(() => PromptTuning.OfText(tokenizer, "five six", 6, 3));
        Assert.Contains("holds 'six', a token that the model has no embedding for", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void P_tuning_trains_its_network_and_serves_what_it_computed()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = Fixtures.Llama();
        using var method = SoftPromptCase.Attached(
            model, new Method { PTuning = new PTuningMethod(3, new PTuningEncoder { Lstm = new LstmEncoder(8, 2, 0.5) }) });
        Assert.Equal(1 + 16 + 4, method.Trainable.Count);
        long[] text = [20, 131, 77];
        var trained = SoftPromptCase.Logits(model, [text], null);
        method.Training = true;
        Assert.True(Fixtures.MaxDifference(trained, SoftPromptCase.Logits(model, [text], null)) > 1e-6);
        method.Training = false;
        method.Save(folder, model, "llama");
        using var adapter = LoadedAdapter.Load(model, "a", folder);
        Assert.Equal(3, adapter.Facts.VirtualTokens);
        Assert.Equal(new Lead(3, 0), adapter.Lead);
        Assert.InRange(Fixtures.MaxDifference(trained, SoftPromptCase.Logits(model, [text], adapter)), 0, 1e-5);
    }

    [Fact]
    public void What_the_model_has_no_room_for_is_refused_by_the_shapes_of_the_model_alone()
    {
        using var variant = new ModelVariant("llama", """{"max_position_embeddings":16}""");
        using var method = TuningMethods.Create(SoftPromptCase.Prompt(15));
        using var shapes = BaseModel.Load(variant.Folder, new LoadOptions(Fixtures.Cpu, ScalarType.Float32).ShapesOnly);
        var thrown = Assert.Throws<TuningException>(() => method.Check(shapes));
        Assert.Equal("method.promptTuning.virtualTokens is 15, but the model takes 16 tokens in all, which leaves no room for text; "
            + "it can be at most 14.", thrown.Message);
    }

    public static TheoryData<string, string> Refused => new()
    {
        { """{"promptTuning":{"virtualTokens":0}}""", "method.promptTuning.virtualTokens is 0; it must be at least 1." },
        { """{"promptTuning":{"virtualTokens":2,"initialization":{}}}""", "exactly one of random, sampledVocabulary, text" },
        { """{"promptTuning":{"virtualTokens":2,"initialization":{"text":" "}}}""", "initialization.text is empty" },
        { """{"promptTuning":{"virtualTokens":2,"initialization":{"text":"x"}}}""", "needs a tokenizer" },
        { """{"pTuning":{"virtualTokens":2,"encoder":{}}}""", "exactly one of mlp, lstm" },
        { """{"pTuning":{"virtualTokens":2,"encoder":{"mlp":{"hiddenSize":0}}}}""", "encoder.mlp.hiddenSize is 0" },
        { """{"pTuning":{"virtualTokens":2,"encoder":{"lstm":{"layers":0,"dropout":1}}}}""",
            "lstm.layers is 0; it must be at least 1. method.pTuning.encoder.lstm.dropout is 1" },
        { """{"prefixTuning":{"virtualTokens":2,"projection":{"hiddenSize":0}}}""", "projection.hiddenSize is 0" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Options_that_do_not_fit_are_refused_with_what_would(string method, string message)
    {
        using var model = Fixtures.Llama();
        var options = JsonSerializer.Deserialize<Method>(method, JsonSerializerOptions.Web)!;
        var thrown = Assert.Throws<TuningException>(() => SoftPromptCase.Attached(model, options).Dispose());
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("state", "holds no training_state.safetensors, so training cannot go on from it")]
    [InlineData("version", "has graft.state '2' in its metadata; only '1' can be read")]
    [InlineData("method", "is of pTuning, so method.promptTuning cannot go on from it")]
    [InlineData("options", "ask for [4, 64]")]
    public void A_folder_that_training_cannot_go_on_from_says_why(string what, string message)
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Llama();
        using (var made = SoftPromptCase.Attached(model, Encoded(3))) made.Save(folder, model, "llama");
        model.Transformer.Tuning = null;
        var state = Path.Combine(folder, ArtifactLayout.TrainingState);
        if (what == "state") File.Delete(state);
        if (what == "version")
            SafetensorsWriter.Write(
                state, [("x", zeros(1))], new Dictionary<string, string> { ["graft.state"] = "2", ["graft.method"] = "pTuning" });
        using var method = TuningMethods.Create(what == "method" ? SoftPromptCase.Prompt(3) : Encoded(what == "options" ? 4 : 3));
        var thrown = Assert.Throws<ModelFormatException>(() => method.Attach(model, new Generator(0), folder));
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
        Assert.Null(model.Transformer.Tuning);
    }

    [Theory]
    [InlineData("num_virtual_tokens", "6", "ask for [6, 64]")]
    [InlineData("num_virtual_tokens", "null", "num_virtual_tokens is missing")]
    [InlineData("num_virtual_tokens", "4096", "leaves no room for text")]
    [InlineData("num_transformer_submodules", "2", "only models of one part")]
    public void A_served_folder_that_does_not_fit_is_refused(string field, string value, string message)
    {
        foreach (var file in Directory.GetFiles(Fixtures.Path("peft", "prompt_llama", "adapter_final")))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        var path = Path.Combine(folder, ArtifactLayout.AdapterConfig);
        var config = JsonNode.Parse(File.ReadAllText(path))!;
        config[field] = JsonNode.Parse(value);
        File.WriteAllText(path, config.ToJsonString());
        using var model = Fixtures.Llama();
        var thrown = Assert.Throws<ModelFormatException>(() => LoadedAdapter.Load(model, "a", folder));
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lora_goes_on_from_its_adapter_and_a_model_from_itself()
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Llama();
        var path = Fixtures.Path("peft", "lora_llama_all", "adapter_final");
        var lora = new LoraMethod(new LoraTargets { AllLinear = new AllLinear() }, 4, 8);
        using (var method = TuningMethods.Create(new Method { Lora = lora }))
        {
            method.Attach(model, new Generator(0), path);
            using var file = SafetensorsFile.Open(Path.Combine(path, ArtifactLayout.AdapterWeights));
            Assert.Equal(file.Tensors.Count, method.Trainable.Count);
            Assert.All(method.Trainable, t => Assert.Equal(0, Fixtures.MaxDifference(file.Map(t.Name), t.Parameter)));
        }
        using var full = TuningMethods.Create(new Method { Full = new FullMethod() });
        var thrown = Assert.Throws<TuningException>(() => full.Attach(model, new Generator(0), path));
        Assert.Contains("name that as the base model", thrown.Message, StringComparison.Ordinal);
    }

    private static Method Encoded(int tokens) =>
        new() { PTuning = new PTuningMethod(tokens, new PTuningEncoder { Mlp = new MlpEncoder(16) }) };
}
