using System.Text.Json.Nodes;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Models;

[Collection(TorchCollection.Name)]
public sealed class ModelConfigTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("graft-").FullName;

    [Theory]
    [InlineData("model_type", "\"mamba\"", "supported: llama")]
    [InlineData("hidden_act", "\"gelu\"", "only 'silu'")]
    [InlineData("attention_bias", "true", "attention_bias")]
    [InlineData("mlp_bias", "true", "mlp_bias")]
    [InlineData("rope_scaling", """{"rope_type":"llama3","factor":8}""", "'llama3'")]
    [InlineData("rope_scaling", """{"type":"yarn"}""", "'yarn'")]
    [InlineData("rope_parameters", """{"rope_type":"linear"}""", "'linear'")]
    [InlineData("quantization_config", """{"bits":4}""", "quantization_config")]
    [InlineData("num_key_value_heads", "3", "evenly")]
    [InlineData("head_dim", "15", "odd")]
    [InlineData("hidden_size", "\"64\"", "hidden_size")]
    [InlineData("num_hidden_layers", "0", "number of layers is 0")]
    [InlineData("vocab_size", "1000000000", "vocabulary is 1000000000")]
    [InlineData("rms_norm_eps", "-1", "epsilon")]
    public void What_is_not_implemented_or_impossible_is_refused_by_name(string field, string value, string message)
    {
        var config = Llama();
        config[field] = JsonNode.Parse(value);
        Write(config);
        Assert.Contains(message, Assert.Throws<ModelFormatException>(() => ModelConfigReader.FromFolder(folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_fields_are_all_named()
    {
        Write(new JsonObject { ["model_type"] = "llama" });
        var message = Assert.Throws<ModelFormatException>(() => ModelConfigReader.FromFolder(folder)).Message;
        foreach (var name in new[] { "hidden_size", "num_attention_heads", "vocab_size", "intermediate_size", "num_hidden_layers" })
            Assert.Contains(name, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_weights_are_drawn_by_their_seed_and_need_no_weight_file()
    {
        using var scope = NewDisposeScope();
        Write(Llama());
        BaseModel Load(long seed) => BaseModel.Load(folder, new LoadOptions(Fixtures.Cpu, ScalarType.Float32, RandomWeights: true, seed, RequireTokenizer: false));
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
        Assert.Equal(0, Fixtures.MaxDifference(gguf.Network.Forward(input, pass), saved.Network.Forward(input, pass)));
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

    private static JsonObject Llama() => JsonNode.Parse(File.ReadAllText(Fixtures.Path("models", "llama", "config.json")))!.AsObject();

    private void Write(JsonObject config) => File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
}
