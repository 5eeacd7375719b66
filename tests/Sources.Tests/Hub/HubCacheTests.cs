using Graft.Sources.Tests.Support;

namespace Graft.Sources.Tests.Hub;

public sealed class HubCacheTests : IDisposable
{
    private const string Source = "hf://org/model@main";
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private string Repository => folder["cache", "hub", "models--org--model"];

    [Fact]
    public async Task A_second_fetch_asks_only_whether_the_branch_moved()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        await Make.FetchAsync(Make.Options(folder, hub.Address), Source);
        var before = hub.HubRequests.Count + hub.ContentRequests.Count;

        await Make.FetchAsync(Make.Options(folder, hub.Address), Source);

        Assert.Equal(before + 1, hub.HubRequests.Count + hub.ContentRequests.Count);
    }

    [Fact]
    public async Task A_commit_that_the_cache_has_is_opened_without_asking_anybody()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        await Make.FetchAsync(Make.Options(folder, hub.Address), Source);
        var before = hub.HubRequests.Count;

        var fetched = await Make.FetchAsync(Make.Options(folder, hub.Address), $"hf://org/model@{HubDouble.Commit}");

        Assert.Equal(HubDouble.Commit, fetched.Revision);
        Assert.Equal(before, hub.HubRequests.Count);
    }

    [Fact]
    public async Task Offline_the_cache_is_enough_and_nobody_is_asked()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        var options = Make.Options(folder, hub.Address);
        var online = await Make.FetchAsync(options, Source);
        var before = hub.HubRequests.Count;

        var offline = await Make.FetchAsync(options with { Offline = true }, Source);

        Assert.Equal(online, offline);
        Assert.Equal(before, hub.HubRequests.Count);
    }

    [Fact]
    public async Task Offline_what_a_python_tool_fetched_is_opened_too()
    {
        Python("main", "config.json", "model.safetensors", "tokenizer.json");

        var fetched = await Make.FetchAsync(Make.Options(folder) with { Offline = true }, Source);

        Assert.True(File.Exists(Path.Combine(fetched.Path, "model.safetensors")));
    }

    [Theory]
    [InlineData("config.json", "lacks config.json")]
    [InlineData("model.safetensors", "lacks its weights")]
    public async Task A_link_whose_blob_is_gone_is_missing_offline_and_fetched_again_online(string name, string words)
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        var options = Make.Options(folder, hub.Address);
        var first = await Make.FetchAsync(options, Source);
        File.Delete(new FileInfo(Path.Combine(first.Path, name)).ResolveLinkTarget(returnFinalTarget: true)!.FullName);

        var offline = await Make.FailureAsync(options with { Offline = true }, Source);
        var byCommit = await Make.FetchAsync(options, $"hf://org/model@{HubDouble.Commit}");

        Assert.Equal(SourceFault.NotCached, offline.Fault);
        Assert.Contains(words, offline.Message, StringComparison.Ordinal);
        Assert.Equal(Make.Model()[name], File.ReadAllBytes(Path.Combine(byCommit.Path, name)));
    }

    [Fact]
    public async Task A_link_that_leads_elsewhere_is_led_to_its_blob_when_it_is_fetched()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        var path = Path.Combine(Repository, "snapshots", HubDouble.Commit, "config.json");
        folder.Write("else.json", "not the model's");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.CreateSymbolicLink(path, folder["else.json"]);

        await Make.FetchAsync(Make.Options(folder, hub.Address), Source);

        Assert.Equal(Make.Model()["config.json"], File.ReadAllBytes(path));
        Assert.Equal("not the model's", File.ReadAllText(folder["else.json"]));
    }

    [Theory]
    [InlineData(new[] { "config.json", "tokenizer.json" }, "lacks its weights")]
    [InlineData(new[] { "model.safetensors" }, "lacks config.json")]
    [InlineData(new string[0], "lacks the model")]
    public async Task Offline_an_incomplete_model_says_what_is_missing(string[] names, string words)
    {
        Python("main", names);

        var failure = await Make.FailureAsync(Make.Options(folder) with { Offline = true }, Source);

        Assert.Equal(SourceFault.NotCached, failure.Fault);
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
        Assert.Contains("offline", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Offline_a_missing_shard_is_named()
    {
        Python("main", "config.json", "model-00001-of-00002.safetensors");
        File.WriteAllText(Path.Combine(Repository, "snapshots", HubDouble.Commit, "model.safetensors.index.json"),
            """{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}""");

        var failure = await Make.FailureAsync(Make.Options(folder) with { Offline = true }, Source);

        Assert.Contains("lacks model-00002-of-00002.safetensors", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Offline_an_unknown_revision_is_named()
    {
        Python("main", "config.json", "model.safetensors");

        var failure = await Make.FailureAsync(Make.Options(folder) with { Offline = true }, "hf://org/model@v2");

        Assert.Contains("no revision 'v2'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_that_was_killed_in_the_middle_loses_only_what_it_was_in_the_middle_of()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model(weights: 2_000_000));
        var slow = true;
        hub.InsteadOfContent = async (context, bytes) =>
        {
            await WebDouble.SendAsync(context, bytes, pause: slow ? TimeSpan.FromMilliseconds(5) : default);
            return true;
        };
        var list = Path.Combine(Repository, "blobs", Make.Sha256(Make.Bytes(2_000_000)) + ".graft-chunks");
        using (var program = FetchProgram.Start(folder, hub.Address, Source))
        {
            await Eventually.IsAsync(() => File.Exists(list) && File.ReadAllLines(list).Length > 5, "five chunks");
            program.Kill();
        }
        var complete = File.ReadAllLines(list).Length - 1;
        var before = hub.ContentRequests.Count;
        slow = false;

        var fetched = await Make.FetchAsync(Make.Options(folder, hub.Address), Source);

        Assert.Equal(Make.Bytes(2_000_000), File.ReadAllBytes(Path.Combine(fetched.Path, "model.safetensors")));
        Assert.Equal(31 - complete, hub.ContentRequests.Count - before);
        Assert.Empty(Directory.GetFiles(Path.Combine(Repository, "blobs"), "*.graft-*"));
    }

    [Fact]
    public async Task Two_processes_that_want_the_same_model_fetch_it_once()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model(weights: 500_000));
        hub.InsteadOfContent = async (context, bytes) =>
        {
            await WebDouble.SendAsync(context, bytes, pause: TimeSpan.FromMilliseconds(10));
            return true;
        };
        using var first = FetchProgram.Start(folder, hub.Address, Source);
        using var second = FetchProgram.Start(folder, hub.Address, Source);

        var (one, two) = (await first.EndAsync(), await second.EndAsync());

        Assert.Equal((0, 0, ""), (one.Code, two.Code, one.Errors + two.Errors));
        Assert.Equal(one.Output, two.Output);
        Assert.Equal(Make.Bytes(500_000), File.ReadAllBytes(Path.Combine(one.Output, "model.safetensors")));
        Assert.Equal(8, hub.ContentRequests.Count);
    }

    [Fact]
    public async Task Whoever_waits_for_another_process_says_so_and_how_far_that_one_is()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model(weights: 500_000));
        using var gate = new SemaphoreSlim(0);
        var served = 0;
        hub.InsteadOfContent = async (context, bytes) =>
        {
            if (Interlocked.Increment(ref served) > 3) await gate.WaitAsync(context.RequestAborted);
            await WebDouble.SendAsync(context, bytes);
            return true;
        };
        using var first = FetchProgram.Start(folder, hub.Address, Source);
        var list = Path.Combine(Repository, "blobs", Make.Sha256(Make.Bytes(500_000)) + ".graft-chunks");
        await Eventually.IsAsync(() => File.Exists(list) && File.ReadAllLines(list).Length == 4, "three chunks");
        var reports = new Reports();

        var second = Make.FetchAsync(Make.Options(folder, hub.Address), Source, progress: reports);
        await Eventually.IsAsync(() => reports.All.Any(r => r.Waits && r.Bytes >= 3 * (64 << 10)), "reports of a wait with three chunks");
        gate.Release(100);
        await second;

        Assert.Equal(0, (await first.EndAsync()).Code);
        Assert.False(reports.All[^1].Waits);
        Assert.Equal(reports.All[^1].TotalBytes, reports.All[^1].Bytes);
        Assert.Equal(8, hub.ContentRequests.Count);
    }

    [Fact]
    public async Task What_pythons_client_left_half_done_is_gone_on_with()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        var weights = Make.Model()["model.safetensors"];
        folder.Write($"cache/hub/models--org--model/blobs/{Make.Sha256(weights)}.incomplete", "");
        File.WriteAllBytes(Path.Combine(Repository, "blobs", Make.Sha256(weights) + ".incomplete"), weights[..200_000]);

        var fetched = await Make.FetchAsync(Make.Options(folder, hub.Address), Source);

        Assert.Equal(weights, File.ReadAllBytes(Path.Combine(fetched.Path, "model.safetensors")));
        // 300,000 bytes are five chunks, of which three were there whole.
        Assert.Equal(2, hub.ContentRequests.Count);
    }

    [Fact]
    public async Task A_broken_list_of_chunks_costs_a_second_transfer_and_no_broken_file()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        var weights = Make.Model()["model.safetensors"];
        var blob = $"cache/hub/models--org--model/blobs/{Make.Sha256(weights)}";
        folder.Write(blob + ".graft-chunks", "300000 65536\n0\n1\n-7\n99999999\nx\n2");
        File.WriteAllBytes(folder[blob + ".graft-incomplete"], new byte[300_000]);

        var fetched = await Make.FetchAsync(Make.Options(folder, hub.Address), Source);

        Assert.Equal(weights, File.ReadAllBytes(Path.Combine(fetched.Path, "model.safetensors")));
    }

    [Theory]
    [InlineData(".graft-chunks")]
    [InlineData(".incomplete")]
    public async Task A_link_in_the_place_of_a_partial_file_is_never_written_through(string ending)
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        var blob = $"cache/hub/models--org--model/blobs/{Make.Sha256(Make.Model()["model.safetensors"])}";
        folder.Write(blob + ".graft-chunks", "300000 65536\n0\n");
        File.Delete(folder[blob + ending]);
        File.WriteAllBytes(folder["other"], new byte[300_000]);
        File.CreateSymbolicLink(folder[blob + ending], folder["other"]);

        await Make.FetchAsync(Make.Options(folder, hub.Address), Source);

        Assert.Equal(new byte[300_000], File.ReadAllBytes(folder["other"]));
    }

    [Fact]
    public async Task A_link_as_long_as_the_file_is_to_be_is_not_taken_for_its_bytes()
    {
        var model = new Dictionary<string, byte[]>(Make.Model()) { ["config.json"] = Make.Bytes(300) };
        await using var hub = await HubDouble.StartAsync(model);
        var blob = $"cache/hub/models--org--model/blobs/{Make.GitSha1(model["config.json"])}";
        folder.Write("other", "another's");
        folder.Write(blob + ".graft-chunks", "300 65536\n");
        var target = folder.Path + new string('/', 300 - folder.Path.Length - "other".Length) + "other";
        File.CreateSymbolicLink(folder[blob + ".graft-incomplete"], target);

        await Make.FetchAsync(Make.Options(folder, hub.Address), Source);

        Assert.Equal("another's", File.ReadAllText(folder["other"]));
    }

    [Fact]
    public async Task A_cache_that_cannot_be_written_is_the_machines_fault()
    {
        await using var hub = await HubDouble.StartAsync(Make.Model());
        folder.Write("cache", "a file where the folder should be");

        var failure = await Make.FailureAsync(Make.Options(folder, hub.Address), Source);

        Assert.Equal(SourceFault.Storage, failure.Fault);
        Assert.True(failure.IsRetryable);
    }

    private void Python(string reference, params string[] names)
    {
        folder.Write($"cache/hub/models--org--model/refs/{reference}", HubDouble.Commit);
        foreach (var name in names) folder.Write($"cache/hub/models--org--model/snapshots/{HubDouble.Commit}/{name}", "x");
    }
}
