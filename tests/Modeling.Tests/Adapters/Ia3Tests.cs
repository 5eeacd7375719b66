using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters;

[Collection(TorchCollection.Name)]
public sealed class Ia3Tests
{
    [Theory]
    [InlineData("llama", "k_proj,v_proj,down_proj", 3)]
    [InlineData("mistral", "k_proj,v_proj,down_proj", 3)]
    [InlineData("qwen2", "q_proj,v_proj,down_proj", 3)]
    [InlineData("qwen3", "q_proj,v_proj,down_proj", 3)]
    [InlineData("gemma2", "q_proj,v_proj,down_proj", 3)]
    [InlineData("gemma3_text", "q_proj,v_proj,down_proj", 3)]
    [InlineData("phi3", "qkv_proj,down_proj", 2)]
    [InlineData("gpt2", "c_attn,c_proj", 2)]
    [InlineData("bert_seqcls", "key,value,dense", 4)]
    [InlineData("roberta_seqcls", "key,value,dense", 4)]
    public void A_new_adapter_has_the_usual_targets_and_changes_nothing(string name, string targets, int inEachBlock)
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Case(name);
        using var method = TuningMethods.Create(new Method { Ia3 = new Ia3Method() });
        var before = Answer(model);
        method.Attach(model, new Generator(1));

        var vectors = method.Trainable.Where(t => t.Name.EndsWith(".ia3_l", StringComparison.Ordinal)).ToList();
        Assert.Equal(inEachBlock * model.Config.Layers, vectors.Count);
        Assert.All(vectors, v => Assert.Equal(1, v.Parameter.min().item<float>()));
        Assert.Equal(targets.Split(',').Order(StringComparer.Ordinal), method.Facts(model).Targets);
        Assert.Equal(0, Fixtures.MaxDifference(before, Answer(model)));
        Assert.All(vectors, v => Assert.Equal(
            v.Name.Contains("down_proj", StringComparison.Ordinal) || v.Name.Contains("mlp.c_proj", StringComparison.Ordinal)
                || v.Name.Contains("output.dense", StringComparison.Ordinal), v.Parameter.size(0) == 1));
    }

    [Fact]
    public void Targets_that_match_nothing_are_named_all_at_once_with_near_misses()
    {
        using var model = Fixtures.Llama();
        using var method = TuningMethods.Create(new Method { Ia3 = new Ia3Method(new Ia3Targets(["k_prj", "up_proj"], ["down_proj"])) });

        var error = Assert.Throws<TuningException>(() => method.Attach(model, new Generator(0)));

        Assert.Equal(2, error.Problems.Count);
        Assert.Contains("'k_prj' matches no linear layer of the model. Did you mean 'k_proj'?", error.Problems[0],
            StringComparison.Ordinal);
        Assert.Contains("'down_proj' is to be scaled before a feed-forward layer, but is none of the modules", error.Problems[1],
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_whose_targets_are_a_pattern_is_read_by_its_tensors()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var folder = new TempDirectory();
        CopyCase(folder);
        folder.Edit(ArtifactLayout.AdapterConfig, c => c["target_modules"] = ".*\\.(k_proj|v_proj|down_proj)");
        using var model = Fixtures.Llama();
        using var listed = LoadedAdapter.Load(model, "a", Fixtures.Path("peft", "ia3_llama", "adapter_final"));
        using var pattern = LoadedAdapter.Load(model, "b", folder.Path);

        Assert.Equal(listed.Attachment.Linears.Keys, pattern.Attachment.Linears.Keys);
    }

    [Fact]
    public void Fields_that_would_change_the_result_are_refused_by_name_all_at_once()
    {
        using var folder = new TempDirectory();
        CopyCase(folder);
        folder.Edit(ArtifactLayout.AdapterConfig, c =>
        {
            c["modules_to_save"] = new System.Text.Json.Nodes.JsonArray("lm_head");
            c["new_option"] = 3;
        });
        using var model = Fixtures.Llama();

        var error = Assert.Throws<ModelFormatException>(() => LoadedAdapter.Load(model, "a", folder.Path));

        Assert.Contains("modules_to_save names lm_head", error.Message, StringComparison.Ordinal);
        Assert.Contains("new_option is 3", error.Message, StringComparison.Ordinal);
    }

    private static void CopyCase(TempDirectory folder)
    {
        foreach (var file in Directory.GetFiles(Fixtures.Path("peft", "ia3_llama", "adapter_final")))
            File.Copy(file, folder.At(Path.GetFileName(file)));
    }

    private static Tensor Answer(BaseModel model)
    {
        using var guard = no_grad();
        using var pass = Pass.OfLengths([4], model.Device);
        var ids = tensor(new long[] { 9, 100, 200, 30 });
        return model.Config.Task == ModelTask.Classification ? model.Classifier.Forward(ids, pass) : model.Network.Forward(ids, pass);
    }

    [Fact]
    public void What_is_learnt_near_one_counts_as_it_is_on_a_narrow_base()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        // bfloat16 has nothing between 1 and 1.0078.
        var scales = full([64, 1], 1.005f, ScalarType.Float32);
        var y = rand([4096, 64], ScalarType.Float32, generator: new Generator(0)).add(1).to_type(ScalarType.BFloat16);
        using var layer = new Modeling.Adapters.Ia3Layer(scales.DetachFromDisposeScope(), ofInput: false);
        var tuned = y.clone();

        layer.Amend(tuned, y, null!);

        var gain = tuned.to_type(ScalarType.Float32).mean().item<float>() / y.to_type(ScalarType.Float32).mean().item<float>();
        Assert.InRange(gain, 1.004, 1.006);
        Assert.Equal(ScalarType.BFloat16, tuned.dtype);
    }
}
