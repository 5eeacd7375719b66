using System.Security.Cryptography;
using System.Text.Json;
using Graft.Contract;
using Graft.Modeling.Files;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Files;

/// <summary>Against the numbers of gguf-py and transformers.</summary>
[Collection(TorchCollection.Name)]
public sealed class GgufFixtureTests
{
    public static TheoryData<string> Cases => FixtureSets.Cases("gguf", "model.gguf");

    private static readonly LoadOptions Wide =
        new(Fixtures.Cpu, ScalarType.Float32, Quantization: new Quantization { None = new NoQuantization() });

    [Theory]
    [MemberData(nameof(Cases))]
    public void Blocks_become_the_references_numbers_bit_for_bit(string name)
    {
        using var scope = NewDisposeScope();
        using var wanted = new GgufCase(name);
        using var file = GgufFile.Open(wanted.Model);
        var expected = wanted.Expected.GetProperty("tensors");
        Assert.Equal(expected.EnumerateObject().Count(), file.Tensors.Count);
        foreach (var tensor in expected.EnumerateObject())
        {
            using var matrix = new GgufMatrix(file, file.Tensors[tensor.Name]);
            Assert.Equal(tensor.Value.GetProperty("type").GetString(), matrix.Format);
            Assert.Equal(tensor.Value.GetProperty("shape").EnumerateArray().Select(s => s.GetInt64()), file.Tensors[tensor.Name].Shape);
            Same(tensor, matrix.Widen(0, matrix.Rows, ScalarType.Float32));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Weights_lie_as_hugging_face_has_them(string name)
    {
        using var scope = NewDisposeScope();
        using var wanted = new GgufCase(name);
        using var file = GgufFile.Open(wanted.Model);
        using var weights = new GgufWeights(file, ModelConfigReader.FromGguf(file));
        var expected = wanted.Expected.GetProperty("hf").EnumerateObject().ToList();
        Assert.Equal(expected.Select(t => t.Name).Order(StringComparer.Ordinal), weights.Names.Order(StringComparer.Ordinal));
        foreach (var tensor in expected)
        {
            var found = weights.Read(tensor.Name, weights.ShapeOf(tensor.Name)!, ScalarType.Float32);
            Assert.Equal(tensor.Value.GetProperty("shape").EnumerateArray().Select(s => s.GetInt64()), found.shape);
            Same(tensor, found);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_configuration_is_the_models(string name)
    {
        using var wanted = new GgufCase(name);
        using var file = GgufFile.Open(wanted.Model);
        var plan = ModelConfigReader.PlanOfGguf(file, null);
        var (found, expected) = (plan.Config, wanted.Expected.GetProperty("config"));
        int Whole(string field) => expected.GetProperty(field).GetInt32();
        Assert.Equal(
            (Whole("vocab_size"), Whole("hidden_size"), Whole("num_hidden_layers"), Whole("intermediate_size")),
            (found.VocabularySize, found.HiddenSize, found.Layers, found.IntermediateSize));
        Assert.Equal(
            (Whole("num_attention_heads"), Whole("num_key_value_heads"), Whole("head_dim"),
                expected.GetProperty("tie_word_embeddings").GetBoolean()),
            (found.Heads, found.KvHeads, found.HeadSize, found.TiedEmbeddings));
        Assert.Equal(expected.GetProperty("rms_norm_eps").GetDouble(), found.NormEpsilon, 1e-10);
        Assert.Equal(Math.Pow(expected.GetProperty("rope_theta").GetDouble(), -2.0 / found.HeadSize),
            Assert.Single(plan.Ropes).Frequencies(1)[1], 1e-6);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Logits_are_the_references_whether_weights_are_widened_or_not(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var wanted = new GgufCase(name);
        using var kept = GgufCase.Load(wanted.Model);
        using var wide = GgufCase.Load(wanted.Model, Wide);
        Assert.Empty(wide.PackedFormats);
        var (ids, expected) = (wanted.Tensors.Map("input_ids"), wanted.Tensors.Map("logits"));
        var (asKept, asWide) = (Logits(kept, ids), Logits(wide, ids));
        Assert.True(Fixtures.MaxDifference(expected, asWide) < 1e-3);
        Assert.True(Fixtures.MaxDifference(asWide, asKept) < 1e-4);
    }

    /// <summary>Losses and gradients of a LoRA over layers that stay quantised, against the same over dense ones.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_through_quantised_layers_are_those_through_dense_ones(string name)
    {
        using var scope = NewDisposeScope();
        using var wanted = new GgufCase(name);
        var (loss, gradients) = Step(wanted, Wide);
        var (keptLoss, keptGradients) = Step(wanted, new LoadOptions(Fixtures.Cpu, ScalarType.Float32));
        Assert.Equal(loss, keptLoss, 1e-5);
        Assert.Equal(gradients.Count, keptGradients.Count);
        foreach (var (dense, packed) in gradients.Zip(keptGradients))
        {
            Assert.True(dense.abs().max().item<float>() > 0);
            Assert.True(Fixtures.MaxDifference(dense, packed) < 1e-4);
        }
    }

    private static (double Loss, List<Tensor> Gradients) Step(GgufCase wanted, LoadOptions options)
    {
        using var model = GgufCase.Load(wanted.Model, options);
        var everywhere = new LoraTargets { AllLinear = new AllLinear() };
        using var method = TuningMethods.Create(new Method { Lora = new LoraMethod(everywhere, Rank: 4) });
        method.Attach(model, new Generator(3));
        using (no_grad())
            foreach (var (key, b) in method.Trainable)
                if (key.Contains("lora_B", StringComparison.Ordinal)) b.fill_(0.01);
        var ids = wanted.Tensors.Map("input_ids");
        var count = (int)ids.size(0);
        using var pass = Pass.OfLengths([count], model.Device);
        var hidden = model.Network.Forward(ids, pass);
        var loss = ChunkedCrossEntropy.Sum(hidden.narrow(0, 0, count - 1), model.Network.OutputWeight,
            ids.narrow(0, 1, count - 1)).div(count - 1);
        loss.backward();
        return (loss.item<float>(), [.. method.Trainable.Select(t => t.Parameter.grad!.clone())]);
    }

    private static Tensor Logits(BaseModel model, Tensor ids)
    {
        using var pass = Pass.OfLengths([(int)ids.size(0)], model.Device);
        return model.Network.Logits(model.Network.Forward(ids, pass));
    }

    private static void Same(JsonProperty expected, Tensor found)
    {
        var values = found.contiguous().data<float>().ToArray();
        Assert.Equal(expected.Value.GetProperty("first").EnumerateArray().Select(v => v.GetSingle()), values.Take(4));
        Assert.Equal(expected.Value.GetProperty("last").EnumerateArray().Select(v => v.GetSingle()), values.TakeLast(4));
        Assert.Equal(expected.Value.GetProperty("sum").GetDouble(), values.Sum(v => (double)v), 1e-3);
        Assert.Equal(expected.Value.GetProperty("sha256_f32le").GetString(), Convert.ToHexStringLower(SHA256.HashData(found.bytes)));
    }
}
