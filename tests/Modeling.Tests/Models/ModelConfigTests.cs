using System.Text.Json.Nodes;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Models;

[Collection(TorchCollection.Name)]
public sealed class ModelConfigTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("graft-").FullName;

    [Theory]
    [InlineData("llama", "model_type", "\"mamba\"", "supported: bert, gemma2")]
    [InlineData("llama", "architectures", """["LlamaForTokenClassification"]""", "LlamaForCausalLM and LlamaForSequenceClassification")]
    [InlineData("llama", "hidden_act", "\"prelu\"", "hidden_act is 'prelu'")]
    [InlineData("llama", "rope_scaling", """{"rope_type":"llama3","factor":8}""", "low_freq_factor")]
    [InlineData("llama", "rope_scaling", """{"type":"linear"}""", "needs factor")]
    [InlineData("llama", "rope_scaling", """{"rope_type":"longrope","short_factor":[1]}""", "short_factor, a list of 8")]
    [InlineData("llama", "rope_parameters", """{"rope_type":"proportional"}""", "'proportional'")]
    [InlineData("llama", "rope_parameters", """{"rope_theta":-3}""", "rotary base, is -3")]
    [InlineData("llama", "partial_rotary_factor", "1.5", "partial_rotary_factor is 1.5")]
    [InlineData("llama", "quantization_config", """{"bits":4}""", "quantization_config")]
    [InlineData("llama", "num_key_value_heads", "3", "evenly")]
    [InlineData("llama", "head_dim", "15", "even number")]
    [InlineData("llama", "hidden_size", "\"64\"", "hidden_size")]
    [InlineData("llama", "num_hidden_layers", "0", "number of layers is 0")]
    [InlineData("llama", "vocab_size", "1000000000", "vocabulary is 1000000000")]
    [InlineData("llama", "rms_norm_eps", "-1", "epsilon")]
    [InlineData("mistral", "sliding_window", "0", "sliding_window is 0")]
    [InlineData("qwen2", "layer_types", """["full_attention","linear_attention"]""", "'linear_attention'")]
    [InlineData("qwen3", "layer_types", """["full_attention"]""", "1 entries for 2 layers")]
    [InlineData("gemma2", "use_bidirectional_attention", "true", "use_bidirectional_attention")]
    [InlineData("gemma2", "final_logit_softcapping", "0", "final_logit_softcapping is 0")]
    [InlineData("gemma3_text", "attn_logit_softcapping", "30", "attn_logit_softcapping")]
    [InlineData("gpt2", "add_cross_attention", "true", "add_cross_attention")]
    [InlineData("gpt2", "activation_function", "\"swoosh\"", "activation_function is 'swoosh'")]
    [InlineData("bert_seqcls", "is_decoder", "true", "is_decoder")]
    [InlineData("bert_seqcls", "position_embedding_type", "\"relative_key\"", "'relative_key'")]
    [InlineData("bert_seqcls", "problem_type", "\"regression\"", "'regression'")]
    [InlineData("bert_seqcls", "id2label", """{"0":"a","2":"b"}""", "id2label")]
    [InlineData("roberta_seqcls", "pad_token_id", "null", "pad_token_id is missing")]
    public void What_is_not_implemented_or_impossible_is_refused_by_name(string model, string field, string value, string message)
    {
        var config = Config(model);
        config[field] = JsonNode.Parse(value);
        Write(config);
        var refusal = Assert.Throws<ModelFormatException>(() => ModelConfigReader.FromFolder(folder));
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_problems_are_told_at_once()
    {
        var config = Config("gemma2");
        config["hidden_size"] = "many";
        config["hidden_activation"] = "swoosh";
        config["use_bidirectional_attention"] = true;
        config["rope_scaling"] = JsonNode.Parse("""{"rope_type":"yarn","factor":0}""");
        Write(config);
        var message = Assert.Throws<ModelFormatException>(() => ModelConfigReader.FromFolder(folder)).Message;
        foreach (var part in new[] { "hidden_size", "swoosh", "use_bidirectional_attention", "factor" })
            Assert.Contains(part, message, StringComparison.Ordinal);
    }

    /// <summary>By transformers' configuration classes.</summary>
    [Theory]
    [InlineData("llama", 32_000, 32, 32, 128, 2048, 1e-6, false)]
    [InlineData("mistral", 32_000, 32, 8, 128, 131_072, 1e-6, false)]
    [InlineData("qwen2", 151_936, 32, 32, 128, 32_768, 1e-6, false)]
    [InlineData("qwen3", 151_936, 32, 32, 128, 32_768, 1e-6, false)]
    [InlineData("gemma2", 256_000, 8, 4, 256, 8192, 1e-6, true)]
    [InlineData("gemma3_text", 262_208, 8, 4, 256, 131_072, 1e-6, true)]
    [InlineData("phi3", 32_064, 32, 32, 96, 4096, 1e-5, false)]
    [InlineData("gpt2", 50_257, 12, 12, 64, 1024, 1e-5, true)]
    [InlineData("bert", 30_522, 12, 12, 64, 512, 1e-12, true)]
    [InlineData("roberta", 50_265, 12, 12, 64, 510, 1e-12, true)]
    public void Missing_fields_have_the_librarys_defaults(
        string type, int vocabulary, int heads, int kvHeads, int headSize, int positions, double epsilon, bool tied)
    {
        Write(new JsonObject { ["model_type"] = type });
        var c = ModelConfigReader.FromFolder(folder);
        Assert.Equal((vocabulary, heads, kvHeads, headSize), (c.VocabularySize, c.Heads, c.KvHeads, c.HeadSize));
        Assert.Equal((positions, epsilon, tied), (c.MaxPositions, c.NormEpsilon, c.TiedEmbeddings));
    }

    [Fact]
    public void Null_means_none_where_a_missing_field_means_the_default()
    {
        var config = Config("mistral");
        config["num_key_value_heads"] = null;
        config["eos_token_id"] = null;
        Write(config);
        var none = ModelConfigReader.FromFolder(folder);
        Assert.Equal(4, none.KvHeads);
        Assert.Empty(none.EosIds);
        config.Remove("num_key_value_heads");
        config["num_attention_heads"] = 8;
        config.Remove("eos_token_id");
        Write(config);
        var missing = ModelConfigReader.FromFolder(folder);
        Assert.Equal(8, missing.KvHeads);
        Assert.Equal([2], missing.EosIds);
    }

    [Fact]
    public void A_classifier_is_refused_where_text_is_to_be_generated()
    {
        var options = new LoadOptions(Fixtures.Cpu, ScalarType.Float32, RequireTokenizer: false);
        string Refusal(string name, LoadOptions o) =>
            Assert.Throws<ModelFormatException>(() => BaseModel.Load(Fixtures.Path("models", name), o)).Message;
        Assert.Contains(
            "a BertForSequenceClassification, which is made for classifying texts, not for generating text",
            Refusal("bert_seqcls", options), StringComparison.Ordinal);
        Assert.Contains("a LlamaForCausalLM would be", Refusal("llama_seqcls", options), StringComparison.Ordinal);
        options = options with { Task = ModelTask.Classification };
        Assert.Contains("a GPT2ForSequenceClassification would be", Refusal("gpt2", options), StringComparison.Ordinal);
        using var classifier = BaseModel.Load(Fixtures.Path("models", "bert_seqcls"), options);
        var network = Assert.Throws<InvalidOperationException>(() => classifier.Network);
        Assert.Contains("does not generate", network.Message, StringComparison.Ordinal);
        Assert.Equal(["LABEL_0", "LABEL_1", "LABEL_2"], classifier.Classifier.Labels);
    }

    [Fact]
    public void Random_weights_are_drawn_by_their_seed_and_need_no_weight_file()
    {
        using var scope = NewDisposeScope();
        Write(Config("llama"));
        BaseModel Load(long seed) =>
            BaseModel.Load(folder, new LoadOptions(Fixtures.Cpu, ScalarType.Float32, RandomWeights: true, seed, RequireTokenizer: false));
        using var a = Load(1);
        using var same = Load(1);
        using var other = Load(2);
        for (var i = 0; i < a.Network.Weights.Count; i++)
        {
            var (name, weight) = a.Network.Weights[i];
            Assert.Equal(0, Fixtures.MaxDifference(weight, same.Network.Weights[i].Weight));
            if (name.EndsWith("norm.weight", StringComparison.Ordinal)) Assert.Equal(1, weight.min().item<float>());
            else
            {
                Assert.True(Fixtures.MaxDifference(weight, other.Network.Weights[i].Weight) > 0);
                Assert.InRange(weight.std().item<float>(), 0.018, 0.022);
            }
        }
        Assert.Equal(a.Digest, same.Digest);
    }

    [Theory]
    [InlineData("gemma2")]
    [InlineData("gpt2")]
    [InlineData("phi3")]
    [InlineData("roberta_seqcls")]
    public void Random_weights_of_every_family_leave_norms_and_biases_without_effect(string name)
    {
        using var scope = NewDisposeScope();
        Write(Config(name));
        using var model = BaseModel.Load(
            folder, new LoadOptions(Fixtures.Cpu, ScalarType.Float32, RandomWeights: true, RequireTokenizer: false, Task: null));
        foreach (var (weightName, weight) in model.Transformer.Weights)
        {
            var norm = weight.Dimensions == 1 && !weightName.EndsWith(".bias", StringComparison.Ordinal);
            if (norm) Assert.Equal(model.Config.NormOffset ? 0 : 1, weight.max().item<float>());
            else if (weight.Dimensions == 1) Assert.Equal(0, weight.abs().max().item<float>());
            else Assert.InRange(weight.abs().max().item<float>(), 0.01, 0.2);
        }
    }

    [Fact]
    public void A_gguf_model_saved_as_a_folder_computes_and_tokenizes_the_same()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var gguf = BaseModel.Load(Fixtures.Path("gguf", "byte_bpe-q4_0"), new LoadOptions(Fixtures.Cpu, ScalarType.Float32));
        ModelWriter.Save(gguf, folder, ScalarType.Float32);
        using var saved = BaseModel.Load(folder, new LoadOptions(Fixtures.Cpu, ScalarType.Float32));
        var ids = gguf.Tokenizer.Encode("The thing <|endoftext|> is");
        Assert.Equal(ids, saved.Tokenizer.Encode("The thing <|endoftext|> is"));
        Assert.Equal(gguf.Tokenizer.EndOfGenerationIds, saved.Tokenizer.EndOfGenerationIds);
        Assert.Equal(gguf.ChatTemplate!.Source, saved.ChatTemplate!.Source);
        var input = tensor(ids.Select(i => (long)i).ToArray());
        using var pass = Pass.OfLengths([ids.Count], gguf.Device);
        Assert.True(Fixtures.MaxDifference(gguf.Network.Forward(input, pass), saved.Network.Forward(input, pass)) < 1e-5);
    }

    [Theory]
    [InlineData("GenuineIntel", "avx512f avx512_bf16", false)]
    [InlineData("GenuineIntel", "avx512_bf16 amx_bf16", true)]
    [InlineData("AuthenticAMD", "avx512_bf16", true)]
    [InlineData("AuthenticAMD", "avx2", false)]
    public void Automatic_precision_goes_by_what_the_processor_multiplies_faster(string vendor, string flags, bool bf16)
    {
        var path = Path.Combine(folder, "cpuinfo");
        File.WriteAllText(path, $"processor\t: 0\nvendor_id\t: {vendor}\nflags\t\t: fpu {flags}\n\nprocessor\t: 1\nflags\t: none\n");
        Assert.Equal(bf16, Processor.Read(path).PrefersBf16);
        Assert.Equal(ScalarType.Float32, Precisions.Resolve(Contract.Precision.Auto, Fixtures.Cpu, weightsTrain: true));
        Assert.Equal(ScalarType.BFloat16, Precisions.Resolve(Contract.Precision.BF16, Fixtures.Cpu, weightsTrain: false));
        Assert.Equal(ScalarType.BFloat16, Precisions.Resolve(Contract.Precision.Auto, new Device(TorchSharp.DeviceType.CUDA), weightsTrain: false));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static JsonObject Config(string name) =>
        JsonNode.Parse(File.ReadAllText(Fixtures.Path("models", name, "config.json")))!.AsObject();

    private void Write(JsonObject config) => File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
}
