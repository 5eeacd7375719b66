using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Models;

/// <summary>Configurations are spelt as before or as since transformers 5; a model is the same in either.</summary>
[Collection(TorchCollection.Name)]
public sealed class SpellingTests
{
    [Theory]
    [InlineData("llama")]
    [InlineData("llama3_rope")]
    [InlineData("llama_seqcls")]
    [InlineData("mistral")]
    [InlineData("qwen2")]
    [InlineData("gemma2")]
    [InlineData("gemma3_text")]
    [InlineData("phi3")]
    public void Old_files_say_the_same_in_the_new_spelling(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var variant = new ModelVariant(name, Modernise);
        using var @new = variant.Load();
        using var old = Fixtures.Case(name);
        Assert.Equal(old.Config with { EosIds = [], Labels = [] }, @new.Config with { EosIds = [], Labels = [] });
        Assert.Equal(old.Config.EosIds, @new.Config.EosIds);
        Assert.Equal(old.Config.Labels, @new.Config.Labels);
        var ids = tensor(Enumerable.Range(0, 20).Select(i => 8L + i * 17).ToArray());
        using var pass = Pass.OfLengths([20], old.Device);
        Tensor Run(BaseModel m) =>
            m.Config.Task == ModelTask.Classification ? m.Classifier.Forward(ids, pass) : m.Network.Forward(ids, pass);
        Assert.Equal(0, Fixtures.MaxDifference(Run(old), Run(@new)));
    }

    private static void Modernise(JsonObject config)
    {
        var parameters = new JsonObject { ["rope_type"] = "default", ["rope_theta"] = Take(config, "rope_theta") };
        if (Take(config, "partial_rotary_factor") is { } part) parameters["partial_rotary_factor"] = part;
        if (Take(config, "rope_scaling") is JsonObject scaling)
            foreach (var (field, value) in scaling) parameters[field] = value?.DeepClone();
        if (Take(config, "rope_local_base_freq") is { } local)
        {
            parameters = new JsonObject
            {
                ["full_attention"] = parameters,
                ["sliding_attention"] = new JsonObject { ["rope_type"] = "default", ["rope_theta"] = local },
            };
        }
        if (Take(config, "sliding_window_pattern") is { } pattern)
        {
            var layers = Enumerable.Range(1, (int)config["num_hidden_layers"]!);
            string Type(int layer) => layer % (int)pattern == 0 ? "full_attention" : "sliding_attention";
            config["layer_types"] = new JsonArray([.. layers.Select(i => (JsonNode)Type(i))]);
        }
        config["rope_parameters"] = parameters;
        config["dtype"] = Take(config, "torch_dtype");
    }

    private static JsonNode? Take(JsonObject config, string name)
    {
        var value = config[name]?.DeepClone();
        config.Remove(name);
        return value;
    }
}
