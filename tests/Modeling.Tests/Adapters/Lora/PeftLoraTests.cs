using System.Text.Json;
using Graft.Contract;
using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters.Lora;

/// <summary>Against PEFT's own files, logits, losses and gradients.</summary>
[Collection(TorchCollection.Name)]
public sealed class PeftLoraTests
{
    public static TheoryData<string> Cases =>
    [
        "accumulation_llama", "dora_llama", "lora_bert_seqcls", "lora_gpt2", "lora_llama_all", "lora_llama_default_qv", "lora_llama_seqcls",
        "lora_qwen3", "lora_rank_pattern", "loraplus_llama", "rslora_llama",
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Served_adapters_give_pefts_logits_alone_and_beside_the_base(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var run = new LoraCase(name);
        using var expected = SafetensorsFile.Open(run.Path("expected.safetensors"));
        var (ids, lengths) = Fixtures.Rows(expected.Map("input_ids"), expected.Map("attention_mask"));
        var bare = run.Logits(ids, lengths, null, null);
        foreach (var (folder, logits) in new[] { ("adapter_init", "logits_init"), ("adapter_final", "logits") })
        {
            using var adapter = LoadedAdapter.Load(run.Model, "a", run.Path(folder));
            var wanted = run.Rows(expected.Map(logits), lengths);
            Assert.True(Fixtures.MaxDifference(run.Logits(ids, lengths, adapter, adapter), wanted) < 2e-5);

            // Adapters are chosen for each segment: here the base answers for the first.
            var mixed = run.Logits(ids, lengths, null, adapter);
            var first = run.Model.Config.Task == ModelTask.Classification ? 1 : lengths[0];
            var rest = mixed.size(0) - first;
            Assert.True(Fixtures.MaxDifference(mixed.narrow(0, 0, first), bare.narrow(0, 0, first)) < 2e-5);
            Assert.True(Fixtures.MaxDifference(mixed.narrow(0, first, rest), wanted.narrow(0, first, rest)) < 2e-5);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Training_starts_with_pefts_loss_and_gradients(string name)
    {
        using var scope = NewDisposeScope();
        using var run = new LoraCase(name);
        using var method = run.Attached("adapter_init");
        using var gradients = SafetensorsFile.Open(run.Path("grads_step1.safetensors"));
        var step = run.Json("train.json").GetProperty("steps")[0];
        var loss = run.Backward(step);
        Assert.Equal(1, loss / step.GetProperty("loss").GetDouble(), 2e-5);
        Assert.Equal(gradients.Tensors.Count, method.Trainable.Count);
        foreach (var (key, parameter) in method.Trainable)
            Assert.True(Fixtures.MaxDifference(gradients.Map(LoraCase.InMemory(key)), parameter.grad!) < 1e-5, key);
        Assert.All(run.Model.Transformer.Weights, w => Assert.Null(w.Weight.grad));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Eight_steps_have_pefts_losses_and_end_at_its_tensors(string name)
    {
        using var scope = NewDisposeScope();
        using var run = new LoraCase(name);
        using var method = run.Attached("adapter_init");
        using var final = SafetensorsFile.Open(run.Path("adapter_final", "adapter_model.safetensors"));
        var train = run.Json("train.json");
        var given = train.GetProperty("optimizer");
        var (rate, decay) = (given.GetProperty("lr").GetDouble(), given.GetProperty("weight_decay").GetDouble());
        var ratio = given.TryGetProperty("lr_ratio", out var faster) ? faster.GetDouble() : 1;
        var moments = method.Trainable.Select(t => (Mean: zeros(t.Parameter.shape), Square: zeros(t.Parameter.shape))).ToList();
        var steps = train.GetProperty("steps").EnumerateArray().ToList();
        for (var s = 0; s < steps.Count; s++)
        {
            foreach (var (_, parameter) in method.Trainable) parameter.grad = null;
            Assert.Equal(1, run.Backward(steps[s]) / steps[s].GetProperty("loss").GetDouble(), 2e-5);
            using var guard = no_grad();
            var norm = Math.Sqrt(method.Trainable.Sum(t => (double)t.Parameter.grad!.square().sum().item<float>()));
            Assert.Equal(1, norm / steps[s].GetProperty("grad_norm").GetDouble(), 1e-4);
            for (var i = 0; i < moments.Count; i++)
            {
                var ((key, parameter), (mean, square)) = (method.Trainable[i], moments[i]);
                var own = rate * (key.Contains("lora_B", StringComparison.Ordinal) ? ratio : 1);
                var gradient = parameter.grad!.mul(Math.Min(1, 1 / (norm + 1e-6)));
                mean.mul_(0.9).add_(gradient, alpha: 0.1);
                square.mul_(0.999).addcmul_(gradient, gradient, 0.001);
                var size = square.div(1 - Math.Pow(0.999, s + 1)).sqrt().add(1e-8);
                parameter.mul_(1 - own * decay).sub_(mean.div(1 - Math.Pow(0.9, s + 1)).div(size).mul(own));
            }
        }
        Assert.All(method.Trainable, t => Assert.True(Fixtures.MaxDifference(final.Map(t.Name), t.Parameter) < 1e-4, t.Name));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_is_read_and_saved_again_is_pefts_folder(string name)
    {
        using var scope = NewDisposeScope();
        using var run = new LoraCase(name);
        using var method = run.Attached("adapter_init");
        using (var final = SafetensorsFile.Open(run.Path("adapter_final", "adapter_model.safetensors")))
        using (no_grad())
            foreach (var (key, parameter) in method.Trainable) parameter.copy_(final.Map(key));
        var folder = Directory.CreateTempSubdirectory("graft-").FullName;
        try
        {
            var config = run.Json("adapter_final", "adapter_config.json");
            method.Save(folder, run.Model, config.GetProperty("base_model_name_or_path").GetString()!);
            Assert.Equal(
                File.ReadAllBytes(run.Path("adapter_final", "adapter_model.safetensors")),
                File.ReadAllBytes(Path.Combine(folder, "adapter_model.safetensors")));
            using var found = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "adapter_config.json")));
            Assert.Equal(config.EnumerateObject().Select(p => p.Name), found.RootElement.EnumerateObject().Select(p => p.Name));
            foreach (var field in config.EnumerateObject().Where(p => p.Name != "peft_version"))
                Assert.True(JsonElement.DeepEquals(field.Value, found.RootElement.GetProperty(field.Name)), field.Name);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Merged_layers_answer_as_layer_and_adapter_do(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var run = new LoraCase(name);
        using var adapter = LoadedAdapter.Load(run.Model, "a", run.Path("adapter_final"));
        using var bin = new GradientBin();
        var sites = run.Model.Transformer.Linears.Concat(run.Model.Transformer.Heads)
            .Where(s => adapter.Attachment.At(s) is not null).ToList();
        Assert.Equal(adapter.Attachment.Linears.Count, sites.Count);
        foreach (var site in sites)
        {
            var x = randn([5, site.InFeatures], ScalarType.Float32, generator: new Generator(1));
            var (weight, bias) = adapter.Attachment.At(site)!.Merge(site.Matrix.Widened(), site.Bias);
            var wanted = adapter.Attachment.At(site)!.Forward(x, site, bin);
            Assert.True(Fixtures.MaxDifference(nn.functional.linear(x, weight, bias), wanted) < 2e-5, site.Name);
        }
    }

    [Fact]
    public void LoraPlus_lets_B_learn_so_many_times_faster()
    {
        using var scope = NewDisposeScope();
        using var run = new LoraCase("loraplus_llama");
        var groups = run.Json("train.json").GetProperty("optimizer").GetProperty("groups").EnumerateArray().ToList();
        var ratio = run.Json("train.json").GetProperty("optimizer").GetProperty("lr_ratio").GetDouble();
        using var method = TuningMethods.Create(new Method
        {
            Lora = new LoraMethod(new LoraTargets { AllLinear = new AllLinear() }, Rank: 4, LoraPlusRatio: ratio),
        });
        method.Attach(run.Model, new Generator(0));
        var fast = groups[1].GetProperty("params").EnumerateArray().Select(p => p.GetString()!);
        Assert.Equal(
            fast.Order(StringComparer.Ordinal),
            method.Trainable.Where(t => t.Rate == ratio).Select(t => LoraCase.InMemory(t.Name)).Order(StringComparer.Ordinal));
        Assert.Equal(14, method.Trainable.Count(t => t.Rate == 1));
    }
}
