using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Files;

[Collection(TorchCollection.Name)]
public sealed class TrustedRootTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("graft-").FullName;

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    [InlineData("tokenizer.json")]
    public void A_file_of_a_model_that_is_a_link_out_of_its_folder_is_refused(string name)
    {
        var (inside, outside) = (CopyModel("volume/model"), CopyModel("elsewhere"));
        File.WriteAllText(Path.Combine(outside, "tokenizer.json"), "{}");
        Link(Path.Combine(inside, name), Path.Combine(outside, name));
        var thrown = Assert.Throws<ModelFormatException>(() => Load(inside));
        Assert.Contains($"{name}: leads to", thrown.Message, StringComparison.Ordinal);
        Assert.Throws<ModelFormatException>(() => Load(inside, TrustedRoot.At(Path.Combine(folder, "volume"))));
        using var trusted = Load(inside, TrustedRoot.At(folder));
    }

    [Fact]
    public void Links_within_a_mounted_volume_are_followed()
    {
        var real = CopyModel("volume/store");
        Directory.CreateDirectory(Path.Combine(folder, "volume/model"));
        foreach (var file in Directory.GetFiles(real)) Link(Path.Combine(folder, "volume/model", Path.GetFileName(file)), file);
        using var model = Load(Path.Combine(folder, "volume/model"), TrustedRoot.At(Path.Combine(folder, "volume")));
        Assert.Throws<ModelFormatException>(() => Load(Path.Combine(folder, "volume/model")));
    }

    [Fact]
    public void A_folder_that_leads_out_of_its_volume_is_refused()
    {
        var outside = CopyModel("elsewhere");
        Directory.CreateDirectory(Path.Combine(folder, "volume"));
        Directory.CreateSymbolicLink(Path.Combine(folder, "volume/model"), outside);
        var thrown = Assert.Throws<ModelFormatException>(
            () => Load(Path.Combine(folder, "volume/model"), TrustedRoot.At(Path.Combine(folder, "volume"))));
        Assert.Contains("only links within", thrown.Message, StringComparison.Ordinal);
        // A person who names it on the own machine means what it leads to.
        using var named = Load(Path.Combine(folder, "volume/model"));
    }

    [Fact]
    public void A_snapshot_of_the_hugging_face_cache_is_read_through_its_blobs()
    {
        var (cache, source) = (Path.Combine(folder, "hub"), CopyModel("source"));
        var (blobs, snapshot) = (Path.Combine(cache, "models--a--b/blobs"), Path.Combine(cache, "models--a--b/snapshots/0123abcd"));
        Directory.CreateDirectory(blobs);
        Directory.CreateDirectory(snapshot);
        foreach (var (file, i) in Directory.GetFiles(source).Select((f, i) => (f, i)))
        {
            File.Move(file, Path.Combine(blobs, $"blob{i}"));
            File.CreateSymbolicLink(Path.Combine(snapshot, Path.GetFileName(file)), $"../../blobs/blob{i}");
        }
        using var model = Load(snapshot);
        using var plain = Fixtures.Llama();
        Assert.Equal(plain.Digest, model.Digest);

        File.WriteAllText(Path.Combine(folder, "secret.json"), "{}");
        Link(Path.Combine(snapshot, "generation_config.json"), Path.Combine(folder, "secret.json"));
        Assert.Throws<ModelFormatException>(() => Load(snapshot));
    }

    [Theory]
    [InlineData("adapter_config.json")]
    [InlineData("adapter_model.safetensors")]
    public void A_file_of_an_adapter_that_is_a_link_out_of_its_folder_is_refused(string name)
    {
        using var model = Fixtures.Llama();
        var source = Fixtures.Path("peft", "lora_llama_all", "adapter_init");
        var adapter = Path.Combine(folder, "adapter");
        Directory.CreateDirectory(adapter);
        foreach (var file in Directory.GetFiles(source))
        {
            if (Path.GetFileName(file) == name) File.CreateSymbolicLink(Path.Combine(adapter, name), file);
            else File.Copy(file, Path.Combine(adapter, Path.GetFileName(file)));
        }
        Assert.Contains(name, Assert.Throws<ModelFormatException>(() => LoadedAdapter.Load(model, "a", adapter)).Message,
            StringComparison.Ordinal);
        using var trusted = LoadedAdapter.Load(model, "a", adapter, TrustedRoot.At("/"));
    }

    [Fact]
    public void A_shard_that_is_a_link_out_of_its_folder_is_refused()
    {
        var inside = Path.Combine(folder, "model");
        Directory.CreateDirectory(inside);
        var shards = Directory.GetFiles(Fixtures.Path("models", "llama_sharded"));
        foreach (var file in shards) File.Copy(file, Path.Combine(inside, Path.GetFileName(file)));
        using (Load(inside))
        {
        }
        var shard = Directory.GetFiles(inside, "*.safetensors")[0];
        Link(shard, shards.Single(s => Path.GetFileName(s) == Path.GetFileName(shard)));
        Assert.Throws<ModelFormatException>(() => Load(inside));
    }

    [Fact]
    public void Links_that_go_round_in_circles_are_refused()
    {
        var inside = CopyModel("model");
        Link(Path.Combine(inside, "config.json"), Path.Combine(inside, "config.json"));
        Assert.Throws<ModelFormatException>(() => Load(inside));
    }

    [Theory]
    [InlineData("/graft/claims/models/a/b", "/graft/claims/models")]
    [InlineData("/graft/claims/models", "/graft/claims/models")]
    [InlineData("/artifacts/adapters/x", "/artifacts/adapters")]
    [InlineData("/graft/claims/../etc", null)]
    [InlineData("/graft/files/0/model", null)]
    [InlineData("/home/me/model", null)]
    public void A_contract_path_lies_on_the_volume_of_its_claim(string path, string? volume) =>
        Assert.Equal(volume, ContractPaths.VolumeOf(path));

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static BaseModel Load(string path, TrustedRoot? root = null) =>
        BaseModel.Load(path, new LoadOptions(Fixtures.Cpu, ScalarType.Float32, RequireTokenizer: false, Root: root));

    private string CopyModel(string name)
    {
        var to = Path.Combine(folder, name);
        Directory.CreateDirectory(to);
        foreach (var file in new[] { "config.json", "model.safetensors" })
            File.Copy(Fixtures.Path("models", "llama", file), Path.Combine(to, file));
        return to;
    }

    private static void Link(string at, string to)
    {
        File.Delete(at);
        File.CreateSymbolicLink(at, to);
    }
}
