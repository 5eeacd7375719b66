using System.Text.Json;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters.SoftPrompts;

/// <summary>Against PEFT's own files, logits, losses and gradients.</summary>
[Collection(TorchCollection.Name)]
public sealed class SoftPromptFixtureTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("graft-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(SoftPromptCase.Names), MemberType = typeof(SoftPromptCase))]
    public void Served_virtual_tokens_give_pefts_logits_whatever_stands_beside_them(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var run = new SoftPromptCase(name);
        using var model = run.Base();
        using var expected = run.Tensors("expected.safetensors");
        var texts = SoftPromptCase.Texts(expected.Map("input_ids"), expected.Map("attention_mask"));
        foreach (var (state, logits) in new[] { ("adapter_init", "logits_init"), ("adapter_final", "logits") })
        {
            using var adapter = LoadedAdapter.Load(model, "a", run.Folder(state));
            var wanted = expected.Map(logits);
            Tensor Rows(int r) => run.Classifies ? wanted.narrow(0, r, 1)
                : wanted[r].narrow(0, wanted.size(1) - expected.Map("input_ids").size(1), texts[r].Length);
            var all = cat([Rows(0), Rows(1)]);

            Assert.InRange(Fixtures.MaxDifference(SoftPromptCase.Logits(model, texts, adapter), all), 0, 2e-5);
            // Alone, and between texts of the bare base.
            Assert.InRange(Fixtures.MaxDifference(SoftPromptCase.Logits(model, [texts[1]], adapter), Rows(1)), 0, 2e-5);
            var mixed = SoftPromptCase.Logits(model, [(texts[0], null), (texts[1], adapter), (texts[0], null), (texts[0], adapter)]);
            var bare = SoftPromptCase.Logits(model, [texts[0]], null);
            Assert.InRange(Fixtures.MaxDifference(mixed, cat([bare, Rows(1), bare, Rows(0)])), 0, 2e-5);
            Assert.True(Fixtures.MaxDifference(bare, Rows(0)) > 1e-2);
        }
    }

    [Theory]
    [MemberData(nameof(SoftPromptCase.Names), MemberType = typeof(SoftPromptCase))]
    public void Training_starts_with_pefts_loss_and_gradients(string name)
    {
        using var scope = NewDisposeScope();
        var run = new SoftPromptCase(name);
        using var model = run.Base();
        using var method = run.Attached(model, "init");
        using var gradients = run.Tensors("grads_step1.safetensors");
        var step = run.Step(0);
        var texts = SoftPromptCase.Texts(SoftPromptCase.Longs(step, "input_ids"), SoftPromptCase.Longs(step, "attention_mask"));
        var loss = run.Classifies
            ? nn.functional.cross_entropy(
                SoftPromptCase.Logits(model, texts, null),
                tensor(step.GetProperty("labels").EnumerateArray().Select(l => l.GetInt64()).ToArray()))
            : Loss(model, texts, SoftPromptCase.Longs(step, "labels"));
        loss.backward();

        var wanted = step.GetProperty("loss").GetDouble();
        Assert.Equal(wanted, loss.item<float>(), wanted * 2e-5);
        Assert.Equal(gradients.Tensors.Count, method.Trainable.Count);
        foreach (var (key, parameter) in method.Trainable)
            Assert.True(Fixtures.MaxDifference(gradients.Map(SoftPromptCase.InMemory(key)), parameter.grad!) < 1e-5, key);
        Assert.All(model.Transformer.Weights, w => Assert.Null(w.Weight.grad));
    }

    [Theory]
    [MemberData(nameof(SoftPromptCase.Names), MemberType = typeof(SoftPromptCase))]
    public void Saved_virtual_tokens_are_pefts_files_and_training_goes_on_from_them(string name)
    {
        using var scope = NewDisposeScope();
        var run = new SoftPromptCase(name);
        using var model = run.Base();
        using var method = run.Attached(model, "final");
        method.Save(folder, model, run.Classifies ? "models/bert_seqcls" : "models/llama");

        var original = run.Folder("adapter_final");
        using (var wanted = SafetensorsFile.Open(Path.Combine(original, "adapter_model.safetensors")))
        using (var found = SafetensorsFile.Open(Path.Combine(folder, "adapter_model.safetensors")))
        {
            Assert.Equal(wanted.Tensors.Keys.Order(), found.Tensors.Keys.Order());
            foreach (var key in wanted.Tensors.Keys) Assert.InRange(Fixtures.MaxDifference(wanted.Map(key), found.Map(key)), 0, 2e-6);
        }
        var resumable = File.Exists(Path.Combine(folder, "training_state.safetensors"));
        Assert.Equal(File.Exists(Fixtures.Path("peft", name, "trainable_final.safetensors")), resumable);
        if (!resumable)
            Assert.Equal(
                File.ReadAllBytes(Path.Combine(original, "adapter_model.safetensors")),
                File.ReadAllBytes(Path.Combine(folder, "adapter_model.safetensors")));
        SameConfig(Path.Combine(original, "adapter_config.json"), Path.Combine(folder, "adapter_config.json"));

        using var other = run.Base();
        using var further = TuningMethods.Create(run.Method());
        further.Attach(other, new Generator(7), from: folder);
        Assert.Equal(method.Trainable.Select(t => t.Name), further.Trainable.Select(t => t.Name));
        foreach (var (was, now) in method.Trainable.Zip(further.Trainable))
            Assert.Equal(0, Fixtures.MaxDifference(was.Parameter, now.Parameter));
        Assert.All(further.Trainable, t => Assert.True(t.Parameter.requires_grad));

        var again = Directory.CreateDirectory(Path.Combine(folder, "again")).FullName;
        further.Save(again, other, run.Classifies ? "models/bert_seqcls" : "models/llama");
        foreach (var file in Directory.GetFiles(again))
            Assert.Equal(File.ReadAllBytes(Path.Combine(folder, Path.GetFileName(file))), File.ReadAllBytes(file));
    }

    [Theory]
    [MemberData(nameof(SoftPromptCase.Generating), MemberType = typeof(SoftPromptCase))]
    public void Generation_writes_what_peft_does_in_any_batch_and_by_any_parts(string name)
    {
        var run = new SoftPromptCase(name);
        using var model = run.Base();
        using var adapter = LoadedAdapter.Load(model, "a", run.Folder("adapter_final"));
        int[] Ids(string field) => [.. run.Expected.GetProperty(field).EnumerateArray().Select(v => v.GetInt32())];
        var (prompt, wanted) = (Ids("prompt_ids"), Ids("generated_ids"));
        var options = new SamplingOptions(wanted.Length, IgnoreEndOfGeneration: true);
        var bare = new TextGenerator(model).Generate(prompt, options).Ids;
        foreach (var promptTokens in new[] { int.MaxValue, 1, 3 })
        {
            using var first = new GenerationSequence(model, prompt, options, adapter);
            using var second = new GenerationSequence(model, prompt, options);
            using var third = new GenerationSequence(model, prompt, options, adapter);
            var generator = new TextGenerator(model);
            while (first.Finish is null || second.Finish is null || third.Finish is null)
                generator.Step([first, second, third], promptTokens);
            Assert.Equal(wanted, first.GeneratedIds);
            Assert.Equal(wanted, third.GeneratedIds);
            Assert.Equal(bare, second.GeneratedIds);
        }
    }

    private static Tensor Loss(BaseModel model, List<long[]> texts, Tensor labels)
    {
        var lead = model.Transformer.LeadOf(null);
        var (ids, segments, rows, targets) = (new List<long>(), new List<Segment>(), new List<long>(), new List<long>());
        for (var r = 0; r < texts.Count; r++)
        {
            segments.Add(new Segment(ids.Count, lead.Tokens + texts[r].Length, Lead: lead));
            ids.AddRange(Enumerable.Repeat(0L, lead.Tokens));
            for (var t = 0; t < texts[r].Length; t++)
            {
                // The first is predicted by the last virtual token, where there is one.
                if (labels[r, t].item<long>() < 0 || (t == 0 && lead.Tokens == 0)) continue;
                rows.Add(ids.Count + t - 1);
                targets.Add(texts[r][t]);
            }
            ids.AddRange(texts[r]);
        }
        using var pass = new Pass(segments, model.Device);
        var hidden = model.Network.Forward(tensor(ids), pass);
        var predicting = hidden.index_select(0, tensor(rows));
        return ChunkedCrossEntropy.Sum(predicting, model.Network.OutputWeight, tensor(targets)).div(rows.Count);
    }

    private static void SameConfig(string original, string written)
    {
        using var wanted = JsonDocument.Parse(File.ReadAllBytes(original));
        using var found = JsonDocument.Parse(File.ReadAllBytes(written));
        Assert.Equal(wanted.RootElement.EnumerateObject().Select(p => p.Name), found.RootElement.EnumerateObject().Select(p => p.Name));
        foreach (var field in wanted.RootElement.EnumerateObject().Where(p => p.Name != "peft_version"))
        {
            var value = found.RootElement.GetProperty(field.Name);
            // PEFT repeats the modules' names each time that it loads and saves.
            if (field.Name == "modules_to_save" && field.Value.ValueKind == JsonValueKind.Array)
                Assert.Equal(field.Value.EnumerateArray().Select(v => v.GetString()).Distinct(), value.EnumerateArray().Select(v => v.GetString()));
            else Assert.True(JsonElement.DeepEquals(field.Value, value), field.Name);
        }
    }
}
