using System.Text.Json.Nodes;
using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters;

[Collection(TorchCollection.Name)]
public sealed class BottleneckTests : IDisposable
{
    private readonly TempDirectory folder = new();
    private readonly BaseModel model = Fixtures.Llama();

    public void Dispose()
    {
        model.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData(BottleneckPlacement.Houlsby, 16, 4)]
    [InlineData(BottleneckPlacement.Pfeiffer, 8, 4)]
    [InlineData(BottleneckPlacement.Parallel, 8, 32)]
    public void A_new_adapter_has_its_placements_shape_and_is_drawn_by_its_seed(BottleneckPlacement placement, int tensors, int width)
    {
        using var scope = NewDisposeScope();
        using var method = Attach(new BottleneckMethod(placement), 1);
        using var other = Fixtures.Llama();
        using var same = TuningMethods.Create(new Method { Bottleneck = new BottleneckMethod(placement) });
        same.Attach(other, new Generator(1));

        Assert.Equal(tensors, method.Trainable.Count);
        Assert.All(method.Trainable.Zip(same.Trainable),
            p => Assert.Equal(0, Fixtures.MaxDifference(p.First.Parameter, p.Second.Parameter)));
        var down = method.Trainable.First(t => t.Name.EndsWith("adapter_down.0.weight", StringComparison.Ordinal));
        Assert.Equal([width, 64], down.Parameter.shape);
        Assert.All(method.Trainable.Where(t => t.Name.EndsWith(".bias", StringComparison.Ordinal)),
            t => Assert.Equal(0, t.Parameter.abs().max().item<float>()));
        var up = method.Trainable.First(t => t.Name.EndsWith("adapter_up.weight", StringComparison.Ordinal)).Parameter;
        if (placement == BottleneckPlacement.Parallel) Assert.Equal(0, up.abs().max().item<float>());
        else Assert.InRange(up.std().item<float>(), 0.015, 0.025);
    }

    [Fact]
    public void What_was_saved_answers_as_what_was_trained()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var ids = tensor(new long[] { 9, 100, 200 });
        Tensor trained;
        using (var method = Attach(new BottleneckMethod(BottleneckPlacement.Houlsby, 3, BottleneckActivation.Gelu, 0.5, Dropout: 0.25), 1))
        {
            foreach (var (_, parameter) in method.Trainable) parameter.add_(0.1);
            trained = Run(ids, null);
            method.Save(folder.Path, model, "base");
            method.Enabled = false;
        }
        using var adapter = LoadedAdapter.Load(model, "a", folder.Path);

        Assert.Equal(0, Fixtures.MaxDifference(trained, Run(ids, adapter)));
        Assert.Equal("bottleneck", adapter.Facts.Method);
        Assert.False(adapter.Facts.Mergeable);
        var config = JsonNode.Parse(File.ReadAllText(folder.At("adapter_config.json")))!;
        // Python tells a float by its point, and AdapterHub takes no other type here.
        Assert.Equal(["0.5", "3", "0.25", "\"gelu\""], new[] { "scaling", "reduction_factor", "dropout", "non_linearity" }
            .Select(f => config["config"]![f]!.ToJsonString()));
        Assert.DoesNotContain("__metadata__", File.ReadAllText(folder.At("adapter.safetensors")), StringComparison.Ordinal);
    }

    [Fact]
    public void Dropout_applies_only_while_training()
    {
        using var scope = NewDisposeScope();
        using var method = Attach(new BottleneckMethod(Dropout: 0.5), 1);
        var ids = tensor(new long[] { 9, 100, 200, 300 });
        Assert.Equal(0, Fixtures.MaxDifference(Run(ids, null), Run(ids, null)));
        method.Training = true;
        Assert.True(Fixtures.MaxDifference(Run(ids, null), Run(ids, null)) > 1e-6);
    }

    [Fact]
    public void Blocks_that_are_left_out_have_none()
    {
        CopyCase("bottleneck_pfeiffer_llama");
        folder.Edit("adapter_config.json", c => c["config"]!["leave_out"] = new JsonArray(1));
        var whole = Assert.Throws<ModelFormatException>(() => LoadedAdapter.Load(model, "a", folder.Path));
        Assert.Contains("4 tensors belong to no layer", whole.Message, StringComparison.Ordinal);
        Assert.Contains("model.layers.1.output_adapters", whole.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_supported_is_refused_by_name_all_at_once()
    {
        CopyCase("bottleneck_pfeiffer_llama");
        folder.Edit("adapter_config.json", c =>
        {
            var config = c["config"]!;
            (config["phm_layer"], config["use_gating"], config["inv_adapter"]) = (true, true, "nice");
            (config["scaling"], config["residual_before_ln"], config["ln_after"]) = ("learned", "post_add", true);
            (config["original_ln_after"], config["stochastic_depth"], config["something_new"]) = (false, 0.1, 1);
        });

        var error = Assert.Throws<ModelFormatException>(() => LoadedAdapter.Load(model, "a", folder.Path));

        foreach (var name in new[]
                 {
                     "phm_layer", "use_gating", "inv_adapter", "scaling", "residual_before_ln", "ln_after", "original_ln_after",
                     "stochastic_depth", "something_new",
                 })
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_of_AdapterHubs_methods_is_refused_by_its_name()
    {
        CopyCase("bottleneck_pfeiffer_llama");
        folder.Edit("adapter_config.json", c => c["config"]!["architecture"] = "prefix_tuning");
        var error = Assert.Throws<ModelFormatException>(() => LoadedAdapter.Load(model, "a", folder.Path));
        Assert.Contains("config.architecture is 'prefix_tuning'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bottleneck_pfeiffer_llama", "adapter.safetensors", "pytorch_adapter.bin", "use_safetensors=True")]
    [InlineData("ia3_llama", "adapter_model.safetensors", "adapter_model.bin", "safe_serialization=True")]
    [InlineData("lora_llama_all", "adapter_model.safetensors", "weights.pt", "safe_serialization=True")]
    public void A_pickle_is_refused_and_what_to_do_is_said(string name, string file, string pickle, string remedy)
    {
        CopyCase(name);
        File.Move(folder.At(file), folder.At(pickle));

        var error = Assert.Throws<ModelFormatException>(() => LoadedAdapter.Load(model, "a", folder.Path));

        Assert.Contains($"has its weights in {pickle}, a pickle, which can run anything when it is read", error.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_classifiers_adapter_is_refused_by_a_model_that_generates_and_the_other_way_round()
    {
        foreach (var name in new[] { "bottleneck_pfeiffer_bert", "lora_llama_seqcls" })
        {
            var error = Assert.Throws<ModelFormatException>(() => LoadedAdapter.Load(model, "a", Fixtures.Path("peft", name, "adapter_final")));
            Assert.Contains("is an adapter of a classifier, and the model was opened as a LlamaForCausalLM, which generates text; "
                + "ask it for labels with: graft-trainer evaluate", error.Message, StringComparison.Ordinal);
        }
        using var bert = Fixtures.Case("bert_seqcls");
        CopyCase("bottleneck_pfeiffer_bert");
        File.Delete(folder.At("head_config.json"));
        var bare = Assert.Throws<ModelFormatException>(() => LoadedAdapter.Load(bert, "a", folder.Path));
        Assert.Contains("is no adapter of a classifier", bare.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_are_found_without_a_model()
    {
        foreach (var name in new[] { "bottleneck_pfeiffer_bert", "lora_llama_seqcls" })
            Assert.Equal(["LABEL_0", "LABEL_1", "LABEL_2"], LoadedAdapter.LabelsOf(Fixtures.Path("peft", name, "adapter_final")));
        Assert.Null(LoadedAdapter.LabelsOf(Fixtures.Path("peft", "ia3_llama", "adapter_final")));
        CopyCase("lora_bert_seqcls");
        File.WriteAllText(folder.At(ArtifactLayout.Manifest), """{"labels": ["no", "yes", "perhaps"]}""");
        Assert.Equal(["no", "yes", "perhaps"], LoadedAdapter.LabelsOf(folder.Path));
    }

    private TuningMethod Attach(BottleneckMethod options, ulong seed)
    {
        var method = TuningMethods.Create(new Method { Bottleneck = options });
        method.Attach(model, new Generator(seed));
        return method;
    }

    private Tensor Run(Tensor ids, LoadedAdapter? adapter)
    {
        using var pass = new Pass([new Segment(0, (int)ids.size(0), null, adapter)], model.Device);
        return model.Network.Forward(ids, pass);
    }

    private void CopyCase(string name)
    {
        foreach (var file in Directory.GetFiles(Fixtures.Path("peft", name, "adapter_final")))
            File.Copy(file, folder.At(Path.GetFileName(file)));
    }
}
