using System.Text.Json;
using Graft.Contract;
using Graft.Modeling.Adapters;
using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters;

/// <summary>IA3 and bottleneck adapters against the folders, logits, losses and gradients of PEFT and AdapterHub.</summary>
[Collection(TorchCollection.Name)]
public sealed class ScaledAndBottleneckFixtureTests
{
    public static TheoryData<string> Cases =>
    [
        "ia3_llama", "ia3_gpt2", "bottleneck_houlsby_llama", "bottleneck_pfeiffer_llama", "bottleneck_parallel_llama",
        "bottleneck_pfeiffer_bert",
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Fixture_adapters_answer_as_the_reference_alone_and_beside_the_base(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = Base(name);
        using var expected = SafetensorsFile.Open(Fixtures.Path("peft", name, "expected.safetensors"));
        var (ids, lengths) = Fixtures.Rows(expected.Map("input_ids"), expected.Map("attention_mask"));
        foreach (var (folder, wanted) in new[] { ("adapter_init", "logits_init"), ("adapter_final", "logits") })
        {
            using var adapter = LoadedAdapter.Load(model, "a", Fixtures.Path("peft", name, folder));
            var alone = Rows(model, ids, lengths, adapter, adapter);
            var beside = Rows(model, ids, lengths, null, adapter);
            var bare = Rows(model, ids, lengths, null, null);
            for (var row = 0; row < 2; row++)
            {
                var logits = expected.Map(wanted)[row];
                var right = logits.dim() == 1 ? logits.unsqueeze(0) : logits.narrow(0, 0, lengths[row]);
                Assert.InRange(Fixtures.MaxDifference(right, alone[row]), 0, 2e-5);
            }
            Assert.InRange(Fixtures.MaxDifference(alone[1], beside[1]), 0, 2e-5);
            Assert.InRange(Fixtures.MaxDifference(bare[0], beside[0]), 0, 2e-5);
            Assert.True(Fixtures.MaxDifference(bare[1], beside[1]) > 1e-3);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Fixture_training_begins_with_the_references_loss_and_gradients(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Base(name);
        using var method = Attached(model, name, "adapter_init");
        using var gradients = SafetensorsFile.Open(Fixtures.Path("peft", name, "grads_step1.safetensors"));
        var step = Fixtures.Json("peft", name, "train.json").GetProperty("steps")[0];
        var (ids, lengths) = Fixtures.Rows(Longs(step, "input_ids"), Longs(step, "attention_mask"));

        using var pass = Pass.OfLengths(lengths, model.Device);
        var loss = Loss(model, step, tensor(ids), lengths, pass);
        loss.backward();

        Assert.Equal(step.GetProperty("loss").GetDouble(), loss.item<float>(), 1e-5 * 6);
        Assert.Equal(gradients.Tensors.Count, method.Trainable.Count);
        foreach (var key in gradients.Tensors.Keys)
        {
            var parameter = method.Trainable.Single(t => t.Name == key.Replace(".default", "", StringComparison.Ordinal)).Parameter;
            Assert.InRange(Fixtures.MaxDifference(gradients.Map(key), parameter.grad!), 0, 1e-5);
        }
        Assert.All(model.Transformer.Weights, w => Assert.Null(w.Weight.grad));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Fixture_folders_are_written_as_the_reference_writes_them(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Base(name);
        using var method = Attached(model, name, "adapter_final");
        using var folder = new TempDirectory();
        var original = Fixtures.Path("peft", name, "adapter_final");
        var config = Fixtures.Json("peft", name, "adapter_final", ArtifactLayout.AdapterConfig);
        var named = config.TryGetProperty("peft_type", out _) ? "base_model_name_or_path" : "model_name";
        method.Save(folder.Path, model, config.GetProperty(named).GetString()!);

        Assert.Equal(Names(original), Names(folder.Path));
        foreach (var file in Names(original))
        {
            var (wanted, found) = (File.ReadAllBytes(Path.Combine(original, file)), File.ReadAllBytes(Path.Combine(folder.Path, file)));
            if (file.EndsWith(".safetensors", StringComparison.Ordinal)) Assert.True(wanted.AsSpan().SequenceEqual(found), file);
            else AssertSameFields(JsonDocument.Parse(wanted).RootElement, JsonDocument.Parse(found).RootElement);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Fixture_folders_are_gone_on_from_with_all_that_trains_a_classifiers_head_too(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Base(name);
        using var open = AdapterFolder.Open(Fixtures.Path("peft", name, "adapter_final"));
        using var method = TuningMethods.Of(open);

        method.Attach(model, new Generator(7), from: open.Folder);

        Assert.Equal(open.Weights.Tensors.Count + (open.Head?.Tensors.Count ?? 0), method.Trainable.Count);
        foreach (var (key, parameter) in method.Trainable)
        {
            Assert.True(parameter.requires_grad, key);
            Assert.Equal(0, Fixtures.MaxDifference(
                (open.Weights.Tensors.ContainsKey(key) ? open.Weights : open.Head!).Map(key), parameter.detach()));
        }
    }

    [Theory]
    [InlineData("ia3_llama")]
    [InlineData("ia3_gpt2")]
    public void Fixture_vectors_merged_into_weight_and_bias_make_the_same_layer(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = Base(name);
        using var adapter = LoadedAdapter.Load(model, "a", Fixtures.Path("peft", name, "adapter_final"));
        var sites = model.Transformer.Linears.Where(l => adapter.Attachment.At(l) is not null).ToList();
        Assert.NotEmpty(sites);
        foreach (var site in sites)
        {
            var input = randn(3, site.InFeatures);
            using var bin = new GradientBin();
            var (weight, bias) = adapter.Attachment.At(site)!.Merge(site.Matrix.Widened(), site.Bias);
            var merged = nn.functional.linear(input, weight, bias);
            Assert.InRange(Fixtures.MaxDifference(adapter.Attachment.At(site)!.Forward(input, site, bin), merged), 0, 1e-5);
        }
    }

    private static BaseModel Base(string name) =>
        Fixtures.Case(Path.GetFileName(Fixtures.Json("peft", name, "train.json").GetProperty("base").GetString()!));

    /// <summary>The case's method with the values of one of its folders.</summary>
    private static TuningMethod Attached(BaseModel model, string name, string folder)
    {
        using var open = AdapterFolder.Open(Fixtures.Path("peft", name, folder));
        var method = TuningMethods.Of(open);
        method.Attach(model, new Generator(0));
        using var guard = no_grad();
        Assert.Equal(open.Weights.Tensors.Count + (open.Head?.Tensors.Count ?? 0), method.Trainable.Count);
        foreach (var (key, parameter) in method.Trainable)
            parameter.copy_((open.Weights.Tensors.ContainsKey(key) ? open.Weights : open.Head!).Map(key));
        return method;
    }

    /// <returns>Two of (T, V), or of (1, labels).</returns>
    private static Tensor[] Rows(BaseModel model, long[] ids, int[] lengths, LoadedAdapter? first, LoadedAdapter? second)
    {
        using var pass = new Pass(
            [new Segment(0, lengths[0], null, first), new Segment(lengths[0], lengths[1], null, second)], model.Device);
        if (model.Config.Task == ModelTask.Classification)
        {
            var labels = model.Classifier.Forward(tensor(ids), pass);
            return [labels.narrow(0, 0, 1), labels.narrow(0, 1, 1)];
        }
        var logits = model.Network.Logits(model.Network.Forward(tensor(ids), pass));
        return [logits.narrow(0, 0, lengths[0]), logits.narrow(0, lengths[0], lengths[1])];
    }

    private static Tensor Loss(BaseModel model, JsonElement step, Tensor ids, int[] lengths, Pass pass)
    {
        if (model.Config.Task == ModelTask.Classification)
        {
            var labels = step.GetProperty("labels").EnumerateArray().Select(l => l.GetInt64()).ToArray();
            return nn.functional.cross_entropy(model.Classifier.Forward(ids, pass), tensor(labels));
        }
        var (rows, targets) = Models.ModelFixtureTests.Supervised(Longs(step, "labels"), lengths);
        return model.Network.LossSum(model.Network.Forward(ids, pass).index_select(0, tensor(rows)), tensor(targets)).div(rows.Length);
    }

    private static Tensor Longs(JsonElement step, string field)
    {
        var rows = step.GetProperty(field).EnumerateArray().Select(r => r.EnumerateArray().Select(v => v.GetInt64()).ToArray()).ToArray();
        return tensor(rows.SelectMany(r => r).ToArray()).view(rows.Length, rows[0].Length);
    }

    private static List<string> Names(string folder) =>
        [.. Directory.GetFiles(folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    private static void AssertSameFields(JsonElement wanted, JsonElement found)
    {
        Assert.Equal(
            wanted.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal), found.EnumerateObject().Select(p => p.Name));
        foreach (var field in wanted.EnumerateObject().Where(p => p.Name != "peft_version"))
            Assert.True(JsonElement.DeepEquals(field.Value, found.GetProperty(field.Name)), field.Name);
    }
}
