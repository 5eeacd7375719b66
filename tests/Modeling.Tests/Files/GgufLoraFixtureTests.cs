using System.Text.Json;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Files;

/// <summary>LoRAs in GGUF, against PEFT's logits.</summary>
[Collection(TorchCollection.Name)]
public sealed class GgufLoraFixtureTests
{
    public static TheoryData<string> Cases => FixtureSets.Cases("gguf", "adapter.gguf");

    [Theory]
    [MemberData(nameof(Cases))]
    public void An_adapter_in_gguf_gives_pefts_logits_and_leaves_the_base_alone(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var wanted = new GgufCase(name);
        using var model = Base(wanted);
        using var adapter = LoadedAdapter.Load(model, "a", Path.Combine(wanted.Folder, "adapter.gguf"));
        var ids = wanted.Tensors.Map("input_ids");
        Assert.True(Fixtures.MaxDifference(wanted.Tensors.Map("logits"), Logits(model, ids, adapter)) < 1e-3);
        Assert.True(Fixtures.MaxDifference(wanted.Tensors.Map("logits_base"), Logits(model, ids, null)) < 1e-3);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_same_adapter_in_pefts_files_is_the_same_adapter(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var wanted = new GgufCase(name);
        using var model = Base(wanted);
        using var peft = LoadedAdapter.Load(model, "a", wanted.Folder);
        using var gguf = LoadedAdapter.Load(model, "a", Path.Combine(wanted.Folder, "adapter.gguf"));
        Assert.Equal(peft.Bytes, gguf.Bytes);
        Assert.Equal((peft.Facts.Rank, string.Join(",", peft.Facts.Targets)), (gguf.Facts.Rank, string.Join(",", gguf.Facts.Targets)));
        var ids = wanted.Tensors.Map("input_ids");
        Assert.True(Fixtures.MaxDifference(Logits(model, ids, peft), Logits(model, ids, gguf)) < 1e-5);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_model_is_no_adapter_and_an_adapter_no_model(string name)
    {
        using var wanted = new GgufCase(name);
        using var model = Base(wanted);
        Assert.Contains("'general.type'", Assert.Throws<ModelFormatException>(() =>
            LoadedAdapter.Load(model, "a", BasePath(wanted))).Message, StringComparison.Ordinal);
        Assert.Throws<ModelFormatException>(() => GgufCase.Load(Path.Combine(wanted.Folder, "adapter.gguf")));
    }

    private static string BasePath(GgufCase wanted)
    {
        using var verified = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(wanted.Folder, "verified.json")));
        return Path.Combine(wanted.Folder, "..", verified.RootElement.GetProperty("base").GetString()!, "model.gguf");
    }

    private static BaseModel Base(GgufCase wanted) => GgufCase.Load(BasePath(wanted));

    private static Tensor Logits(BaseModel model, Tensor ids, LoadedAdapter? adapter)
    {
        var count = (int)ids.size(0);
        using var pass = new Pass([new Segment(0, count, null, adapter)], model.Device);
        return model.Network.Logits(model.Network.Forward(ids, pass));
    }
}
