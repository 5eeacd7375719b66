using Graft.Sources.Tests.Support;

namespace Graft.Sources.Tests.Hub;

public sealed class HubFetchTests : IDisposable
{
    private const string Source = "hf://org/model@main";
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_model_is_fetched_into_the_layout_that_python_tools_share()
    {
        var files = Make.Model();
        await using var hub = await HubDouble.StartAsync(files);

        var fetched = await Make.FetchAsync(Make.Options(folder, hub.Address), Source);

        var repository = folder["cache", "hub", "models--org--model"];
        Assert.Equal(Path.Combine(repository, "snapshots", HubDouble.Commit), fetched.Path);
        Assert.Equal((repository, HubDouble.Commit), (fetched.Root, fetched.Revision));
        Assert.Equal(HubDouble.Commit, File.ReadAllText(Path.Combine(repository, "refs", "main")));
        foreach (var (name, bytes) in files)
        {
            var blob = name == "model.safetensors" ? Make.Sha256(bytes) : Make.GitSha1(bytes);
            Assert.Equal(bytes, File.ReadAllBytes(Path.Combine(fetched.Path, name)));
            Assert.Equal("../../blobs/" + blob, new FileInfo(Path.Combine(fetched.Path, name)).LinkTarget);
        }
        Assert.Equal(files.Count, Directory.GetFiles(Path.Combine(repository, "blobs")).Length);
    }

    [Fact]
    public async Task The_token_goes_to_the_hub_and_not_to_the_host_that_it_redirects_to()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        hub.Token = "hf_secret";
        folder.Write("secret/token", "hf_secret\n");

        await Make.FetchAsync(Make.Options(folder, hub.Address), Source, folder["secret"]);

        Assert.All(hub.HubRequests, r => Assert.Equal("Bearer hf_secret", r.Authorization));
        Assert.NotEmpty(hub.ContentRequests);
        Assert.All(hub.ContentRequests, r => Assert.Null(r.Authorization));
    }

    [Fact]
    public async Task A_large_file_comes_in_ranges_that_ask_the_hub_only_once_where_it_lies()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model(weights: 1_000_000));
        var options = Make.Options(folder, hub.Address) with { Transfer = Make.Transfer with { Connections = 1 } };

        await Make.FetchAsync(options, Source);

        Assert.Equal(16, hub.ContentRequests.Count);
        Assert.All(hub.ContentRequests, r => Assert.StartsWith("bytes=", r.Range, StringComparison.Ordinal));
        Assert.Single(hub.HubRequests, r => r.Method == "GET" && r.Path.EndsWith("model.safetensors", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Only_what_a_model_needs_is_fetched_and_never_a_pickle()
    {
        var files = Make.Model();
        foreach (var other in new[] { "pytorch_model.bin", "training_args.bin", "README.md", "onnx/model.onnx",
            "consolidated.safetensors", "optimizer.pt" })
            files[other] = Make.Bytes(10);
        await using var hub = await HubDouble.StartAsync(files);

        var fetched = await Make.FetchAsync(Make.Options(folder, hub.Address), Source);

        Assert.Equal(Make.Model().Keys.Order(), Directory.GetFiles(fetched.Path).Select(Path.GetFileName).Order()!);
    }

    [Fact]
    public async Task A_named_gguf_file_comes_alone()
    {
        await using var hub = await HubDouble.StartAsync(new() { ["a-Q4_0.gguf"] = Make.Bytes(90_000), ["a-Q8_0.gguf"] = Make.Bytes(10) });

        var fetched = await Make.FetchAsync(Make.Options(folder, hub.Address), "hf://org/model@main/a-Q4_0.gguf");

        Assert.EndsWith("/a-Q4_0.gguf", fetched.Path, StringComparison.Ordinal);
        Assert.Equal(Make.Bytes(90_000), File.ReadAllBytes(fetched.Path));
        Assert.DoesNotContain(hub.HubRequests, r => r.Path.Contains("Q8_0", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_single_data_file_comes_as_it_is_named()
    {
        await using var hub = await HubDouble.StartAsync(new() { ["data/train.jsonl"] = Make.Bytes(500), ["config.json"] = Make.Bytes(3) });

        var fetched =
            await Make.FetchAsync(Make.Options(folder, hub.Address), "hf://org/model/data/train.jsonl", kind: FetchKind.SingleFile);

        Assert.EndsWith("/data/train.jsonl", fetched.Path, StringComparison.Ordinal);
        Assert.Equal(Make.Bytes(500), File.ReadAllBytes(fetched.Path));
    }

    [Fact]
    public async Task A_model_in_a_folder_of_the_repository_is_opened_there()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model().ToDictionary(f => "merged/" + f.Key, f => f.Value));

        var fetched = await Make.FetchAsync(Make.Options(folder, hub.Address), "hf://org/model@main/merged");

        Assert.Equal(Make.Model()["model.safetensors"], File.ReadAllBytes(Path.Combine(fetched.Path, "model.safetensors")));
    }

    [Fact]
    public async Task Progress_rises_to_the_whole_size()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        var reports = new Reports();

        await Make.FetchAsync(Make.Options(folder, hub.Address), Source, progress: reports);

        var total = Make.Model().Values.Sum(f => f.Length);
        Assert.Equal(new FetchProgress(total, total), reports.All[^1]);
        Assert.All(reports.All, r => Assert.InRange(r.Bytes, 0, total));
    }

    [Fact]
    public async Task A_renamed_repository_is_followed_on_the_same_host()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        hub.InsteadOfHub = context =>
        {
            var path = context.Request.Path.Value!;
            if (!path.Contains("old/name", StringComparison.Ordinal)) return Task.FromResult(false);
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = path.Replace("old/name", HubDouble.Repository, StringComparison.Ordinal);
            return Task.FromResult(true);
        };

        var fetched = await Make.FetchAsync(Make.Options(folder, hub.Address), "hf://old/name");

        Assert.Equal(Make.Model()["model.safetensors"], File.ReadAllBytes(Path.Combine(fetched.Path, "model.safetensors")));
    }
}
