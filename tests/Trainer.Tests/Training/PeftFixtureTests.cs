using System.Text.Json;
using Graft.Modeling;
using Graft.Modeling.Tests;
using Graft.Trainer.Tests.Support;
using Graft.Trainer.Training;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Training;

/// <summary>
/// Every fixture of the group of adapters, whatever its method: the reference's run through the real loop, the folder that comes out, and
/// the reference's folders read here. Bounds are those of the fixtures' README.
/// </summary>
[Collection(TorchCollection.Name)]
public sealed class PeftFixtureTests
{
    private const double LossWithin = 2e-5, NormWithin = 1e-4, GradientWithin = 1e-5, TensorWithin = 1e-4, LogitsWithin = 1e-4;

    public static TheoryData<string> Cases => FixtureSets.Cases("peft", "train.json");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Fixture_trains_to_the_references_losses_gradients_and_tensors(string name)
    {
        using var scope = NewDisposeScope();
        using var run = Open(name);
        var trainable = run.Expected.GetProperty("trainable").EnumerateObject()
            .Sum(t => t.Value.EnumerateArray().Aggregate(1L, (n, s) => n * s.GetInt64()));
        Assert.Equal(trainable, run.Method.Trainable.Sum(t => t.Parameter.numel()));
        foreach (var (tensor, rate) in run.Rates)
            Assert.Equal(rate, run.LearningRate * run.Method.Trainable.Single(t => t.Name == tensor).Rate, rate * 1e-9);
        if (run.HasAdapter) CheckFirstGradients(run);

        Check(run.Run(), run.Losses, run.GradNorms);

        CheckFinal(run);
        CheckSavedFolder(run);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Fixture_trains_the_same_in_micro_batches(string name)
    {
        using var scope = NewDisposeScope();
        using var run = Open(name);
        var (rows, losses, norms) = run.MicroBatches ?? (1, run.Losses, run.GradNorms);

        Check(run.Run(microBatchSize: rows), losses, norms);

        CheckFinal(run);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Fixture_folders_answer_as_the_reference_alone_beside_the_base_and_merged(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var run = Open(name);
        using var expected = run.Tensors("expected.safetensors");
        using var model = run.OpenBase();
        if (!run.HasAdapter)
        {
            using var whole = PeftCase.Open(run.At("adapter_final"));
            AssertClose(expected, "logits_init", Answers.Of(model, null, expected));
            AssertClose(expected, "logits", Answers.Of(whole, null, expected));
            CheckGenerated(run, whole, null);
            return;
        }
        using var initial = LoadedAdapter.Load(model, "initial", run.At("adapter_init"));
        using var final = LoadedAdapter.Load(model, "final", run.At("adapter_final"));
        AssertClose(expected, "logits_init", Answers.Of(model, initial, expected));
        AssertClose(expected, "logits", Answers.Of(model, final, expected));
        // Rows of one pass get what their own adapters make of them.
        var (alone, beside) = (Answers.Of(model, null, expected), Answers.Mixed(model, [final, null], expected));
        AssertClose(expected, "logits", [beside[0]]);
        Assert.True(Fixtures.MaxDifference(beside[1], alone[1]) <= LogitsWithin, "base beside adapter");
        CheckGenerated(run, model, final);
        if (expected.Names.Contains("logits_merged"))
        {
            using (MergedAdapter.Into(model, final)) AssertClose(expected, "logits_merged", Answers.Of(model, null, expected));
            AssertClose(expected, "logits", Answers.Of(model, final, expected));
        }
    }

    private static PeftCase Open(string name) => new(FixtureSets.Folder("peft", name));

    private static void Check(List<StepReport> reports, IReadOnlyList<double> losses, IReadOnlyList<double> norms)
    {
        Assert.Equal(losses.Count, reports.Count);
        for (var i = 0; i < losses.Count; i++)
        {
            Assert.Equal(losses[i], reports[i].Loss, losses[i] * LossWithin);
            Assert.Equal(norms[i], reports[i].GradNorm, norms[i] * NormWithin);
        }
    }

    private static void CheckFirstGradients(PeftCase run)
    {
        using var wanted = run.Tensors("grads_step1.safetensors");
        Assert.Equal(wanted.Names.Order(StringComparer.Ordinal), run.Method.Trainable.Select(t => t.Name).Order(StringComparer.Ordinal));
        // A step of length nothing leaves the run where it begins; without a bound the gradients stay as they are.
        run.Run(steps: 1, learningRate: 0, maxGradNorm: double.PositiveInfinity, afterStep: () =>
        {
            foreach (var (name, parameter) in run.Method.Trainable)
                Assert.True(Fixtures.MaxDifference(wanted[name], parameter.grad!) <= GradientWithin, $"gradient of {name}");
        });
    }

    private static void CheckFinal(PeftCase run)
    {
        using var guard = no_grad();
        using var final = run.Final();
        foreach (var (name, parameter) in run.Method.Trainable)
            Assert.True(Fixtures.MaxDifference(final[name], parameter) <= TensorWithin, $"{name} after training");
    }

    /// <summary>What the method writes is the reference's folder, and is read back.</summary>
    private static void CheckSavedFolder(PeftCase run)
    {
        using var guard = no_grad();
        using var saved = new TempFolder();
        run.Method.Save(saved.Path, run.Model, run.BaseName);
        foreach (var path in Directory.GetFiles(run.At("adapter_final")))
        {
            var written = saved[Path.GetFileName(path)];
            Assert.True(File.Exists(written), $"no {Path.GetFileName(path)} was written");
            if (path.EndsWith(".safetensors", StringComparison.Ordinal)) CheckTensors(path, written);
            else if (run.HasAdapter) CheckFields(path, written);
        }
        using var expected = run.Tensors("expected.safetensors");
        if (run.HasAdapter)
        {
            using var model = run.OpenBase();
            using var adapter = LoadedAdapter.Load(model, "saved", saved.Path);
            AssertClose(expected, "logits", Answers.Of(model, adapter, expected));
        }
        else
        {
            using var model = PeftCase.Open(saved.Path);
            AssertClose(expected, "logits", Answers.Of(model, null, expected));
        }
    }

    private static void CheckTensors(string wantedPath, string foundPath)
    {
        using var wanted = new GoldenTensors(wantedPath);
        using var found = new GoldenTensors(foundPath);
        Assert.Equal(wanted.Names.Order(StringComparer.Ordinal), found.Names.Order(StringComparer.Ordinal));
        foreach (var name in wanted.Names)
        {
            Assert.Equal(wanted.Info(name).Dtype, found.Info(name).Dtype);
            Assert.Equal(wanted.Info(name).Shape, found.Info(name).Shape);
            Assert.True(Fixtures.MaxDifference(wanted[name], found[name]) <= TensorWithin, $"{name} as saved");
        }
    }

    private static void CheckFields(string wantedPath, string foundPath)
    {
        using var wanted = JsonDocument.Parse(File.ReadAllBytes(wantedPath));
        using var found = JsonDocument.Parse(File.ReadAllBytes(foundPath));
        Assert.Equal(wanted.RootElement.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal),
            found.RootElement.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
        foreach (var field in wanted.RootElement.EnumerateObject().Where(p => p.Name != "peft_version"))
            Assert.True(JsonElement.DeepEquals(field.Value, found.RootElement.GetProperty(field.Name)),
                $"{Path.GetFileName(wantedPath)}: {field.Name} is {found.RootElement.GetProperty(field.Name)}, not {field.Value}");
    }

    private static void CheckGenerated(PeftCase run, BaseModel model, LoadedAdapter? adapter)
    {
        if (!run.Expected.TryGetProperty("generated_ids", out var generated)) return;
        int[] prompt = [.. run.Expected.GetProperty("prompt_ids").EnumerateArray().Select(v => v.GetInt32())];
        int[] wanted = [.. generated.EnumerateArray().Select(v => v.GetInt32())];
        var options = new SamplingOptions(MaxTokens: wanted.Length, IgnoreEndOfGeneration: true);
        Assert.Equal(wanted, new TextGenerator(model).Generate(prompt, options, adapter).Ids);
    }

    private static void AssertClose(GoldenTensors expected, string key, IReadOnlyList<Tensor> found)
    {
        for (var row = 0; row < found.Count; row++)
        {
            var wanted = Answers.Cut(expected[key][row], found[row]);
            Assert.True(Fixtures.MaxDifference(found[row], wanted) <= LogitsWithin, $"{key}, row {row}");
        }
    }
}
