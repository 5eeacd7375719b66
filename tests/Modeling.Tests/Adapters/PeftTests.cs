using System.Text.Json;
using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters;

/// <summary>Against PEFT's own files, logits, losses and gradients.</summary>
[Collection(TorchCollection.Name)]
public sealed class PeftTests
{
    public static TheoryData<string> Cases => ["lora_llama_all", "lora_llama_default_qv", "rslora_llama"];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Served_adapters_give_pefts_logits(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = Fixtures.Llama();
        using var expected = SafetensorsFile.Open(Fixtures.Path("peft", name, "expected.safetensors"));
        var (ids, lengths) = Fixtures.Rows(expected.Map("input_ids"), expected.Map("attention_mask"));
        foreach (var (folder, logits) in new[] { ("adapter_init", "logits_init"), ("adapter_final", "logits") })
        {
            using var adapter = LoadedAdapter.Load(model, "a", Fixtures.Path("peft", name, folder));
            // The second row is answered by the base: adapters are chosen for each segment.
            using var both = new Pass([new Segment(0, lengths[0], null, adapter), new Segment(lengths[0], lengths[1], null, adapter)], model.Device);
            var found = model.Network.Logits(model.Network.Forward(tensor(ids), both));
            var wanted = expected.Map(logits);
            var rows = cat(lengths.Select((l, r) => wanted[r].narrow(0, 0, l)).ToArray());
            Assert.True(Fixtures.MaxDifference(found, rows) < 2e-5);

            using var mixed = new Pass([new Segment(0, lengths[0]), new Segment(lengths[0], lengths[1], null, adapter)], model.Device);
            var second = model.Network.Logits(model.Network.Forward(tensor(ids), mixed));
            Assert.True(Fixtures.MaxDifference(second.narrow(0, lengths[0], lengths[1]), rows.narrow(0, lengths[0], lengths[1])) < 2e-5);
            Assert.True(Fixtures.MaxDifference(second.narrow(0, 0, lengths[0]), rows.narrow(0, 0, lengths[0])) > 1e-2);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Training_starts_with_pefts_loss_and_gradients(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Llama();
        using var method = Attached(model, name, "adapter_init");
        using var gradients = SafetensorsFile.Open(Fixtures.Path("peft", name, "grads_step1.safetensors"));
        var step = Fixtures.Json("peft", name, "train.json").GetProperty("steps")[0];
        var (ids, lengths) = Fixtures.Rows(Longs(step, "input_ids"), Longs(step, "attention_mask"));
        var (rows, targets) = Models.ModelFixtureTests.Supervised(Longs(step, "labels"), lengths);

        using var pass = Pass.OfLengths(lengths, model.Device);
        var hidden = model.Network.Forward(tensor(ids), pass);
        var loss = ChunkedCrossEntropy.Sum(hidden.index_select(0, tensor(rows)), model.Network.OutputWeight, tensor(targets)).div(rows.Length);
        loss.backward();

        Assert.Equal(step.GetProperty("loss").GetDouble(), loss.item<float>(), 1e-5 * 6);
        Assert.Equal(gradients.Tensors.Count, method.Trainable.Count);
        foreach (var (key, parameter) in method.Trainable)
        {
            var inMemory = key.Replace(".weight", ".default.weight", StringComparison.Ordinal);
            Assert.True(Fixtures.MaxDifference(gradients.Map(inMemory), parameter.grad!) < 1e-5, key);
        }
        Assert.All(model.Network.Weights, w => Assert.Null(w.Weight.grad));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Saved_adapters_are_pefts_files(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Llama();
        using var method = Attached(model, name, "adapter_final");
        var folder = Directory.CreateTempSubdirectory("graft-").FullName;
        try
        {
            method.Save(folder, model, "models/llama");
            var original = Fixtures.Path("peft", name, "adapter_final");
            Assert.Equal(File.ReadAllBytes(Path.Combine(original, "adapter_model.safetensors")), File.ReadAllBytes(Path.Combine(folder, "adapter_model.safetensors")));
            using var wanted = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(original, "adapter_config.json")));
            using var found = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "adapter_config.json")));
            Assert.Equal(wanted.RootElement.EnumerateObject().Select(p => p.Name), found.RootElement.EnumerateObject().Select(p => p.Name));
            foreach (var field in wanted.RootElement.EnumerateObject().Where(p => p.Name != "peft_version"))
                Assert.True(JsonElement.DeepEquals(field.Value, found.RootElement.GetProperty(field.Name)), field.Name);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A LoRA of the case's options, with the values of one of its folders.</summary>
    private static TuningMethod Attached(BaseModel model, string name, string folder)
    {
        var config = Fixtures.Json("peft", name, folder, "adapter_config.json");
        var method = TuningMethods.Create(new Method
        {
            Lora = new LoraMethod(
                new LoraTargets { Modules = [.. config.GetProperty("target_modules").EnumerateArray().Select(t => t.GetString()!)] },
                config.GetProperty("r").GetInt32(), config.GetProperty("lora_alpha").GetDouble(), 0, config.GetProperty("use_rslora").GetBoolean()),
        });
        method.Attach(model, new Generator(0));
        using var file = SafetensorsFile.Open(Fixtures.Path("peft", name, folder, "adapter_model.safetensors"));
        using var guard = no_grad();
        Assert.Equal(file.Tensors.Count, method.Trainable.Count);
        foreach (var (key, parameter) in method.Trainable) parameter.copy_(file.Map(key));
        return method;
    }

    private static Tensor Longs(JsonElement step, string field)
    {
        var rows = step.GetProperty(field).EnumerateArray().Select(r => r.EnumerateArray().Select(v => v.GetInt64()).ToArray()).ToArray();
        return tensor(rows.SelectMany(r => r).ToArray()).view(rows.Length, rows[0].Length);
    }
}
