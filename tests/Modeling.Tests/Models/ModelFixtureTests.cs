using System.Text.Json;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Models;

/// <summary>Every fixture of the group of models, against transformers' own numbers for the same weights.</summary>
[Collection(TorchCollection.Name)]
public sealed class ModelFixtureTests
{
    public static TheoryData<string> Cases => FixtureSets.Cases("models", "expected.json");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Logits_loss_and_gradient_norm_are_the_references(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Open(name);
        using var expected = Expected(name);
        var json = Json(name);
        foreach (var (_, weight) in model.Transformer.Weights) weight.requires_grad = true;
        var (real, lengths) = Lengths(model, expected);
        using var pass = Pass.OfLengths(lengths, model.Device);
        var ids = Flat(expected.Map("input_ids"), lengths);
        var wanted = expected.Map(expected.Tensors.ContainsKey("logits") ? "logits" : "logits_fp32");

        Tensor loss;
        if (model.Config.Task == ModelTask.Classification)
        {
            var logits = model.Classifier.Forward(ids, pass);
            AssertClose(logits, wanted, 2e-5);
            loss = nn.functional.cross_entropy(logits, expected.Map("labels"));
        }
        else
        {
            var hidden = Unpad(model.Network.Forward(ids, pass), lengths, real);
            using (no_grad()) AssertClose(model.Network.Logits(hidden), Flat(wanted, real), 2e-5);
            var (rows, targets) = Supervised(expected.Map("labels"), real);
            loss = model.Network.LossSum(hidden.index_select(0, tensor(rows)), tensor(targets)).div(rows.Length);
        }
        loss.backward();
        AssertRelative(json, "loss", loss.item<float>(), 1e-5);
        AssertRelative(
            json, "grad_norm", Math.Sqrt(model.Transformer.Weights.Sum(w => w.Weight.grad!.square().sum().item<float>())), 1e-4);
        Assert.Equal(json.GetProperty("parameters").GetInt64(), model.Transformer.Weights.Sum(w => w.Weight.numel()));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Logits_in_bf16_and_with_token_types_are_the_references(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var expected = Expected(name);
        if (expected.Tensors.ContainsKey("logits_bf16"))
        {
            var (found, wanted) = Logits(name, ScalarType.BFloat16, expected, "logits_bf16", types: null);
            AssertClose(found, wanted, 0.1);
            Assert.True(found.sub(wanted).abs().mean().item<float>() < 0.01);
        }
        if (expected.Tensors.ContainsKey("token_type_ids"))
        {
            var (found, wanted) = Logits(name, ScalarType.Float32, expected, "logits_token_types", expected.Map("token_type_ids"));
            AssertClose(found, wanted, 2e-5);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Greedy_ids_with_a_cache_are_the_references(string name)
    {
        var json = Json(name);
        if (!json.TryGetProperty("generated_ids", out var generated)) return;
        using var model = Open(name);
        int[] prompt = [.. json.GetProperty("prompt_ids").EnumerateArray().Select(v => v.GetInt32())];
        int[] wanted = [.. generated.EnumerateArray().Select(v => v.GetInt32())];
        Assert.Equal(wanted, Greedy.Generate(model, prompt, wanted.Length));
    }

    private static BaseModel Open(string name, ScalarType dtype = ScalarType.Float32) => BaseModel.Load(
        FixtureSets.Folder("models", name), new LoadOptions(Fixtures.Cpu, dtype, RequireTokenizer: false, Task: null));

    private static SafetensorsFile Expected(string name) =>
        SafetensorsFile.Open(Path.Combine(FixtureSets.Folder("models", name), "expected.safetensors"));

    private static JsonElement Json(string name) =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(FixtureSets.Folder("models", name), "expected.json"))).RootElement;

    private static (Tensor Found, Tensor Wanted) Logits(string name, ScalarType dtype, SafetensorsFile expected, string key, Tensor? types)
    {
        using var model = Open(name, dtype);
        var (real, lengths) = Lengths(model, expected);
        using var pass = Pass.OfLengths(lengths, model.Device, types is null ? null : Flat(types, lengths));
        var (ids, wanted) = (Flat(expected.Map("input_ids"), lengths), expected.Map(key));
        return model.Config.Task == ModelTask.Classification ? (model.Classifier.Forward(ids, pass), wanted)
            : (model.Network.Logits(Unpad(model.Network.Forward(ids, pass), lengths, real)), Flat(wanted, real));
    }

    /// <summary>
    /// Real tokens of each row, whose padding is on the right, and tokens of each row that are computed: the real ones, but for models
    /// whose positions go by a text's length. The reference's go by the padded length then; padding behind a token changes nothing else.
    /// </summary>
    private static (int[] Real, int[] Computed) Lengths(BaseModel model, SafetensorsFile expected)
    {
        var mask = expected.Map("attention_mask");
        var (width, real) = ((int)mask.size(1), mask.sum(1).data<long>().Select(l => (int)l).ToArray());
        var goesByLength = model.Config.Task == ModelTask.Generation && model.Network.Outgrows(real.Min(), width);
        return (real, goesByLength ? [.. real.Select(_ => width)] : real);
    }

    /// <summary>The first of each row's computed tokens.</summary>
    private static Tensor Unpad(Tensor hidden, int[] computed, int[] real)
    {
        var starts = computed.Select((_, r) => (long)computed.Take(r).Sum()).ToArray();
        return cat([.. real.Select((length, r) => hidden.narrow(0, starts[r], length))]);
    }

    /// <summary>(B, T, ...) to (N, ...): the rows' real parts, one after another.</summary>
    private static Tensor Flat(Tensor padded, int[] lengths) => cat([.. lengths.Select((length, r) => padded[r].narrow(0, 0, length))]);

    private static void AssertClose(Tensor found, Tensor wanted, double most)
    {
        Assert.Equal(wanted.shape, found.shape);
        var difference = Fixtures.MaxDifference(found, wanted);
        Assert.True(difference < most, $"the largest difference is {difference}");
    }

    private static void AssertRelative(JsonElement json, string field, double found, double most)
    {
        var wanted = (json.TryGetProperty(field, out var plain) ? plain : json.GetProperty(field + "_fp32")).GetDouble();
        Assert.True(Math.Abs(found - wanted) <= most * wanted, $"{field} is {found}, not {wanted}");
    }

    /// <summary>Flat rows whose next token is supervised, and those tokens.</summary>
    internal static (long[] Rows, long[] Targets) Supervised(Tensor labels, int[] lengths)
    {
        var (rows, targets, at) = (new List<long>(), new List<long>(), 0L);
        for (var r = 0; r < lengths.Length; r++)
        {
            var row = labels[r].data<long>().ToArray();
            for (var i = 1; i < lengths[r]; i++)
            {
                if (row[i] == -100) continue;
                rows.Add(at + i - 1);
                targets.Add(row[i]);
            }
            at += lengths[r];
        }
        return ([.. rows], [.. targets]);
    }
}
