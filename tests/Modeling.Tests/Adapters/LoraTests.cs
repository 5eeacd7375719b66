using System.Text.Json.Nodes;
using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters;

[Collection(TorchCollection.Name)]
public sealed class LoraTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("graft-").FullName;
    private readonly BaseModel model = Fixtures.Llama();

    [Fact]
    public void A_new_adapter_changes_nothing_and_is_drawn_by_its_seed()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var ids = tensor(new long[] { 9, 100, 200 });
        var before = Run(ids);
        using var method = Attach(new LoraMethod(new LoraTargets { AllLinear = new AllLinear() }, Rank: 4), seed: 1);
        Assert.Equal(0, Fixtures.MaxDifference(before, Run(ids)));
        Assert.Equal(2 * model.Network.Linears.Count, method.Trainable.Count);
        var a = method.Trainable[0].Parameter;
        Assert.InRange(a.abs().max().item<float>(), 0.1, 1 / Math.Sqrt(64));

        using var other = Fixtures.Llama();
        using var same = TuningMethods.Create(new Method { Lora = new LoraMethod(new LoraTargets { AllLinear = new AllLinear() }, Rank: 4) });
        same.Attach(other, new Generator(1));
        Assert.Equal(0, Fixtures.MaxDifference(a, same.Trainable[0].Parameter));
    }

    [Fact]
    public void A_disabled_method_leaves_the_base()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var ids = tensor(new long[] { 9, 100, 200 });
        var before = Run(ids);
        using var method = Attach(new LoraMethod(new LoraTargets { AllLinear = new AllLinear() }), 1);
        foreach (var (_, parameter) in method.Trainable) parameter.add_(0.1);
        Assert.True(Fixtures.MaxDifference(before, Run(ids)) > 0.01);
        method.Enabled = false;
        Assert.Equal(0, Fixtures.MaxDifference(before, Run(ids)));
    }

    [Fact]
    public void Dropout_applies_only_while_training_and_keeps_the_mean()
    {
        using var scope = NewDisposeScope();
        using var method = Attach(new LoraMethod(new LoraTargets { Modules = ["q_proj"] }, Rank: 2, Dropout: 0.5), 1);
        using (no_grad())
            foreach (var (_, parameter) in method.Trainable) parameter.add_(0.1);
        var ids = tensor(new long[] { 9, 100, 200, 300 });
        Assert.Equal(0, Fixtures.MaxDifference(Run(ids), Run(ids)));
        method.Training = true;
        Assert.True(Fixtures.MaxDifference(Run(ids), Run(ids)) > 1e-6);
        Run(ids).sum().backward();
        Assert.All(method.Trainable, t => Assert.NotNull(t.Parameter.grad));
    }

    [Fact]
    public void Nothing_below_the_lowest_trainable_layer_takes_part_in_backward()
    {
        using var scope = NewDisposeScope();
        using var method = Attach(new LoraMethod(new LoraTargets { Modules = ["layers.1.mlp.down_proj"] }, Rank: 2), 1);
        Assert.Equal(2, method.Trainable.Count);
        Run(tensor(new long[] { 9, 100 })).sum().backward();
        Assert.All(model.Network.Weights, w => Assert.False(w.Weight.requires_grad));
        Assert.True(method.Trainable[1].Parameter.grad!.abs().sum().item<float>() > 0);
    }

    [Theory]
    [InlineData(new[] { "qproj" }, 8, 16, 0.0, "Did you mean 'q_proj'?")]
    [InlineData(new[] { "q_proj", "attention.wq" }, 8, 16, 0.0, "'attention.wq' matches no linear layer")]
    [InlineData(new string[0], 8, 16, 0.0, "is empty")]
    [InlineData(new[] { "k_proj" }, 33, 16, 0.0, "at most 32")]
    [InlineData(new[] { "q_proj" }, 0, 16, 0.0, "rank is 0")]
    [InlineData(new[] { "q_proj" }, 8, 0, 0.0, "alpha is 0")]
    [InlineData(new[] { "q_proj" }, 8, 16, 1.0, "dropout is 1")]
    public void Options_that_do_not_fit_are_refused_with_what_would(string[] targets, int rank, double alpha, double dropout, string message)
    {
        var thrown = Assert.Throws<TuningException>(() => Attach(new LoraMethod(new LoraTargets { Modules = targets }, rank, alpha, dropout), 1));
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_problems_come_at_once()
    {
        var thrown = Assert.Throws<TuningException>(() => Attach(new LoraMethod(new LoraTargets { Modules = ["x", "y"] }, 0, -1, 2), 1));
        Assert.Equal(5, thrown.Problems.Count);
    }

    public static TheoryData<string, string> Mismatches => new()
    {
        { "prefix", "belong to no layer" },
        { "lora_B", "lora_B.weight' is missing" },
        { "shape", "base model and configuration ask for [4, 64]" },
        { "r", "base model and configuration ask for [6, 64]" },
        { "target", "q_proj.lora_A.weight' is missing" },
        { "extra", "belong to no layer" },
        { "dora", "lora_magnitude_vector' is missing" },
        { "type", "peft_type is 'VERA'" },
        { "pattern", "base model and configuration ask for [2, 64]" },
        { "empty", "is missing" },
    };

    [Theory]
    [MemberData(nameof(Mismatches))]
    public void An_adapter_that_does_not_fit_is_refused_rather_than_silently_ignored(string how, string message)
    {
        using var scope = NewDisposeScope();
        var config = JsonNode.Parse(File.ReadAllText(Fixtures.Path("peft", "lora_llama_all", "adapter_init", "adapter_config.json")))!.AsObject();
        using var source = SafetensorsFile.Open(Fixtures.Path("peft", "lora_llama_all", "adapter_init", "adapter_model.safetensors"));
        var tensors = source.Tensors.Keys.ToDictionary(k => k, source.Map);
        const string q = "base_model.model.model.layers.0.self_attn.q_proj.";
        switch (how)
        {
            case "prefix": tensors = tensors.ToDictionary(t => t.Key["base_model.model.".Length..], t => t.Value); break;
            case "lora_B": tensors.Remove(q + "lora_B.weight"); break;
            case "shape": tensors[q + "lora_A.weight"] = tensors[q + "lora_A.weight"].t(); break;
            case "r": config["r"] = 6; break;
            case "target":
                tensors.Remove(q + "lora_A.weight");
                tensors.Remove(q + "lora_B.weight");
                break;
            case "extra": tensors["base_model.model.lm_head.weight"] = ones(2); break;
            case "dora": config["use_dora"] = true; break;
            case "type": config["peft_type"] = "VERA"; break;
            case "pattern": config["rank_pattern"] = new JsonObject { ["q_proj"] = 2 }; break;
            case "empty":
                tensors.Clear();
                config["target_modules"] = "all-linear";
                break;
        }
        File.WriteAllText(Path.Combine(folder, "adapter_config.json"), config.ToJsonString());
        SafetensorsWriter.Write(Path.Combine(folder, "adapter_model.safetensors"), tensors.Select(t => (t.Key, t.Value)));
        var thrown = Assert.Throws<ModelFormatException>(() => LoadedAdapter.Load(model, "a", folder));
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_minimal_configuration_is_enough()
    {
        File.Copy(Fixtures.Path("peft", "lora_llama_all", "adapter_init", "adapter_model.safetensors"), Path.Combine(folder, "adapter_model.safetensors"));
        File.WriteAllText(Path.Combine(folder, "adapter_config.json"), """{"peft_type":"LORA","r":4,"lora_alpha":8,"made_by":"somebody"}""");
        using var adapter = LoadedAdapter.Load(model, "a", folder);
        Assert.Equal((4, 8.0, "F32", 7), (adapter.Facts.Rank, adapter.Facts.Alpha, adapter.Facts.Dtype, adapter.Facts.Targets.Count));
    }

    [Fact]
    public void Full_training_needs_f32_and_saves_a_model_that_loads()
    {
        using var scope = NewDisposeScope();
        using var narrow = Fixtures.Llama(ScalarType.BFloat16);
        using var refused = TuningMethods.Create(new Method { Full = new FullMethod() });
        Assert.Contains("F32", Assert.Throws<TuningException>(() => refused.Attach(narrow, new Generator(0))).Message, StringComparison.Ordinal);

        using var method = TuningMethods.Create(new Method { Full = new FullMethod() });
        method.Attach(model, new Generator(0));
        var ids = tensor(new long[] { 9, 100, 200 });
        Run(ids).sum().backward();
        using (no_grad())
            foreach (var (name, weight) in method.Trainable)
                if (name != "lm_head.weight") weight.add_(weight.grad!, alpha: -1e-3);   // the hidden states do not depend on the head
        method.Save(folder, model, "base");
        using var saved = BaseModel.Load(folder, new LoadOptions(Fixtures.Cpu, ScalarType.Float32, RequireTokenizer: false));
        using var pass = Pass.OfLengths([3], model.Device);
        Assert.Equal(0, Fixtures.MaxDifference(Run(ids), saved.Network.Forward(ids, pass)));
        Assert.NotEqual(model.Digest, saved.Digest);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void Exactly_one_method_is_asked_for(bool lora, bool full)
    {
        var method = new Method { Lora = lora ? new LoraMethod(new LoraTargets()) : null, Full = full ? new FullMethod() : null };
        Assert.Contains("exactly one", Assert.Throws<TuningException>(() => TuningMethods.Create(method)).Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        model.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private TuningMethod Attach(LoraMethod options, int seed)
    {
        var method = TuningMethods.Create(new Method { Lora = options });
        method.Attach(model, new Generator((ulong)seed));
        return method;
    }

    private Tensor Run(Tensor ids)
    {
        using var pass = Pass.OfLengths([(int)ids.size(0)], model.Device);
        return model.Network.Forward(ids, pass);
    }
}
