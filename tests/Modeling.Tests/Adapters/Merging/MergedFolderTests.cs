using System.Text.Json;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters.Merging;

/// <summary>Merged models as folders, which are models like any other.</summary>
[Collection(TorchCollection.Name)]
public sealed class MergedFolderTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("graft-");

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    [InlineData("gemma2")]
    [InlineData("phi3")]
    public void A_merged_folder_answers_as_base_and_adapter(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Case(name);
        using var adapter = TestAdapters.Lora(model, seed: 5);
        var (bytes, wanted) = (TestAdapters.Bytes(model), TestAdapters.Logits(model, adapter));

        ModelMerging.ToFolder(model, adapter, New("merged"), ScalarType.Float32);

        using var merged = Open("merged", ScalarType.Float32);
        Assert.True(Fixtures.MaxDifference(wanted, TestAdapters.Logits(merged)) < 2e-5);
        Assert.Equal(model.Config with { EosIds = [] }, merged.Config with { EosIds = [] });
        Assert.Equal(bytes, TestAdapters.Bytes(model));
    }

    [Fact]
    public void Each_weight_is_summed_in_float32_and_rounded_once()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = Fixtures.Case("llama_bf16", ScalarType.BFloat16);
        using var adapter = TestAdapters.Lora(model, seed: 6);

        ModelMerging.ToFolder(model, adapter, New("merged"), ScalarType.BFloat16);

        using var file = SafetensorsFile.Open(Path.Combine(folder.FullName, "merged", "model.safetensors"));
        foreach (var site in model.Network.Linears)
        {
            var layer = (Modeling.Adapters.LoraLayer)adapter.Attachment.At(site)!;
            var sum = site.Weight.Dense!.to_type(ScalarType.Float32).add(layer.B.matmul(layer.A).mul(1.5));
            var found = file.Map(site.Name + ".weight");
            Assert.Equal(ScalarType.BFloat16, found.dtype);
            // Half a unit of the last of eight bits, and nothing from a second rounding.
            Assert.True(found.to_type(ScalarType.Float32).sub(sum).abs().le(sum.abs().mul(1 / 256.0 * 1.001)).all().item<bool>(), site.Name);
        }
        foreach (var (name, weight) in model.Network.Weights.Where(w => !w.Name.Contains("proj", StringComparison.Ordinal)))
            Assert.Equal(0, Fixtures.MaxDifference(weight, file.Map(name)));
    }

    [Fact]
    public void Shards_hold_no_more_than_they_may_and_their_index_says_which_holds_what()
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Llama();
        using var adapter = TestAdapters.Lora(model, seed: 7);
        ModelMerging.ToFolder(model, adapter, New("whole"), ScalarType.Float32);
        const int most = 100_000;

        ModelMerging.ToFolder(model, adapter, New("shards"), ScalarType.Float32, maxShardBytes: most);

        var files = Directory.GetFiles(Path.Combine(folder.FullName, "shards"), "*.safetensors").Order(StringComparer.Ordinal).ToList();
        Assert.True(files.Count > 2);
        Assert.Equal($"model-00001-of-{files.Count:d5}.safetensors", Path.GetFileName(files[0]));
        using var index = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder.FullName, "shards", "model.safetensors.index.json")));
        var map = index.RootElement.GetProperty("weight_map").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString());
        long total = 0;
        foreach (var path in files)
        {
            using var shard = SafetensorsFile.Open(path);
            Assert.All(shard.Tensors.Keys, name => Assert.Equal(Path.GetFileName(path), map[name]));
            var bytes = shard.Tensors.Values.Sum(t => t.Bytes);
            Assert.True(bytes <= most || shard.Tensors.Count == 1, path);
            total += bytes;
        }
        Assert.Equal(total, index.RootElement.GetProperty("metadata").GetProperty("total_size").GetInt64());
        using var one = Open("whole", ScalarType.Float32);
        using var many = Open("shards", ScalarType.Float32);
        Assert.Equal(TestAdapters.Bytes(one), TestAdapters.Bytes(many));
    }

    [Fact]
    public void The_same_model_and_adapter_give_the_same_bytes()
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Llama();
        using var adapter = TestAdapters.Lora(model, seed: 8);
        foreach (var name in (string[])["one", "other"])
            ModelMerging.ToFolder(model, adapter, New(name), ScalarType.Float32, maxShardBytes: 200_000);

        var files = Directory.GetFiles(Path.Combine(folder.FullName, "one"));
        Assert.Contains(files, f => f.EndsWith("config.json", StringComparison.Ordinal));
        Assert.All(files, file =>
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(folder.FullName, "other", Path.GetFileName(file)))));
    }

    [Fact]
    public void A_table_that_is_no_longer_tied_is_written_beside_its_output_head()
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Case("qwen2");
        using var adapter = TestAdapters.Table(model, seed: 9);
        var wanted = TestAdapters.Logits(model, adapter);

        ModelMerging.ToFolder(model, adapter, New("merged"), ScalarType.Float32);

        using var merged = Open("merged", ScalarType.Float32);
        Assert.False(merged.Config.TiedEmbeddings);
        Assert.True(Fixtures.MaxDifference(wanted, TestAdapters.Logits(merged)) < 2e-5);
        // What is merged in memory is written as it is, too.
        using var inMemory = MergedAdapter.Into(model, adapter);
        ModelWriter.Save(model, New("saved"), ScalarType.Float32);
        using var saved = Open("saved", ScalarType.Float32);
        Assert.Equal(TestAdapters.Bytes(merged), TestAdapters.Bytes(saved));
    }

    private string New(string name) => folder.CreateSubdirectory(name).FullName;

    private BaseModel Open(string name, ScalarType dtype) => BaseModel.Load(
        Path.Combine(folder.FullName, name), new LoadOptions(Fixtures.Cpu, dtype, RequireTokenizer: false));
}
