using System.Net;
using System.Net.Http.Json;
using Graft.Contract;
using Graft.Server.Tests.Fakes;

namespace Graft.Server.Tests;

/// <summary>Loading, choosing and unloading adapters over HTTP; answered by a fake model.</summary>
public sealed class AdapterTests : IAsyncLifetime
{
    private readonly FakeModel model = new();
    private readonly AdapterFolders folders = new();
    private readonly string elsewhere = Directory.CreateTempSubdirectory("graft-elsewhere-").FullName;
    private TestServer server = null!;

    public async Task InitializeAsync() =>
        server = await TestServer.StartAsync(model, o => o with { MaxAdapters = 2, AdapterRoots = [elsewhere + "/allowed"] }, folders.Root);

    public async Task DisposeAsync()
    {
        model.Gate.Set();
        await server.DisposeAsync();
        folders.Dispose();
        Directory.Delete(elsewhere, recursive: true);
    }

    [Fact]
    public async Task A_loaded_adapter_is_listed_and_answers_under_its_name()
    {
        var path = folders.Write("team", "run-1", FakeModel.Digest);

        Assert.Equal((HttpStatusCode.OK, "Success: LoRA adapter 'intents' added successfully."), await Load("intents", path));

        var models = System.Text.Json.Nodes.JsonNode.Parse(await server.Http.GetStringAsync("/v1/models"))!;
        Assert.Equal("list", (string)models["object"]!);
        var cards = models["data"]!.AsArray();
        Assert.Equal(["base", "intents"], cards.Select(c => (string)c!["id"]!));
        Assert.Equal(["/models/tiny", path], cards.Select(c => (string)c!["root"]!));
        Assert.Equal([null, "base"], cards.Select(c => (string?)c!["parent"]));
        Assert.All(cards, c => Assert.Equal("model", (string)c!["object"]!));
        Assert.All(cards, c => Assert.Equal(100, (int)c!["max_model_len"]!));
        Assert.Equal("intents:Hi", await server.CompleteAsync(new { model = "intents", prompt = "Hi" }));
        Assert.Equal("base:Hi", await server.CompleteAsync(new { model = "base", prompt = "Hi" }));
    }

    [Fact]
    public async Task Base_and_adapters_are_answered_in_one_batch()
    {
        await Load("one", folders.Write("team", "1", FakeModel.Digest));
        await Load("two", folders.Write("team", "2", FakeModel.Digest));
        model.Gate.Reset();
        var held = server.Host.Engine.InvokeAsync(_ => model.Gate.Wait(TimeSpan.FromSeconds(30)));
        Task<string>[] answers = [.. new[] { "base", "one", "two" }.Select(m => server.CompleteAsync(new { model = m, prompt = "Hi" }))];
        await server.UntilMetricAsync("graft_num_requests_waiting 0");
        model.Gate.Set();
        await held;

        Assert.Equal(["base:Hi", "one:Hi", "two:Hi"], await Task.WhenAll(answers));
        Assert.Contains(await server.Host.Engine.InvokeAsync(_ => model.Batches.ToArray()), b => b.Length > 1);
    }

    [Fact]
    public async Task An_unloaded_adapter_finishes_its_answers_and_then_gives_its_memory_back()
    {
        await Load("intents", folders.Write("team", "run-1", FakeModel.Digest));
        model.Gate.Reset();
        var answer = server.CompleteAsync(new { model = "intents", prompt = "Hi" });
        await server.UntilMetricAsync("graft_num_requests_running 1");

        Assert.Equal((HttpStatusCode.OK, "Success: LoRA adapter 'intents' removed successfully."), await Unload("intents"));

        Assert.Equal(HttpStatusCode.NotFound, (await server.PostAsync("/v1/completions", new { model = "intents", prompt = "x" })).Status);
        var reload = Load("intents", folders.Write("team", "run-2", FakeModel.Digest));
        model.Gate.Set();
        Assert.Equal("intents:Hi", await answer);
        Assert.Equal(HttpStatusCode.OK, (await reload).Status);
        await Eventually.IsTrue(async () => await server.Host.Engine.InvokeAsync(_ => model.Freed.Count) == 1);
        Assert.Equal("intents:again", await server.CompleteAsync(new { model = "intents", prompt = "again" }));
    }

    [Fact]
    public async Task A_name_is_taken_once_and_the_number_is_bounded()
    {
        var path = folders.Write("team", "run-1", FakeModel.Digest);
        await Load("one", path);

        await Refused(Load("one", path), 400, "InvalidUserInput", "has already been loaded. If you want to load the adapter in place");
        Assert.Equal(HttpStatusCode.OK, (await Load("two", path)).Status);
        await Refused(Load("three", path), 400, "InvalidUserInput", "--max-adapters");
        await Unload("one");
        Assert.Equal(HttpStatusCode.OK, (await Load("three", path)).Status);
    }

    [Theory]
    [InlineData("""{"lora_name": "a"}""", 400, "InvalidUserInput", "must be provided")]
    [InlineData("""{"lora_path": "/artifacts/team/a"}""", 400, "InvalidUserInput", "must be provided")]
    [InlineData("""{"lora_name": "base", "lora_path": "/artifacts/team/a"}""", 400, "InvalidUserInput", "name of the base model")]
    [InlineData("""{"lora_name": "a b", "lora_path": "/artifacts/team/a"}""", 400, "InvalidUserInput", "white space")]
    [InlineData("""{"lora_name": "a", "lora_path": "/etc", "load_inplace": true}""", 400, "InvalidUserInput", "below /artifacts/CLAIM")]
    [InlineData("""{"lora_name": "a", "lora_path": "/artifacts/team/nothing"}""", 404, "NotFoundError", "No adapter found")]
    [InlineData("""{"lora_name": "a", "lora_path": "/artifacts/nobody/a"}""", 404, "NotFoundError", "No adapter found")]
    [InlineData("""{"lora_name": "a", "lora_path": "/artifacts/team/empty"}""", 404, "NotFoundError", "it has no adapter_config.json")]
    [InlineData("""{"lora_name": "a", "lora_path": "/artifacts/team/empty/file"}""", 404, "NotFoundError", "No adapter found")]
    [InlineData("""{"lora_name": "a", "lora_path": "/artifacts"}""", 400, "InvalidUserInput", "below /artifacts/CLAIM")]
    [InlineData("""{"lora_name": "a", "lora_path": "/etc"}""", 400, "InvalidUserInput", "below /artifacts/CLAIM")]
    [InlineData("""{"lora_name": "a", "lora_path": "/etc/no-such-folder"}""", 400, "InvalidUserInput", "below /artifacts/CLAIM")]
    [InlineData("""{"lora_name": "a", "lora_path": "artifacts/team/a"}""", 400, "InvalidUserInput", "absolute path")]
    [InlineData("""{"lora_name": "a", "lora_path": "/artifacts/team/../../etc"}""", 400, "InvalidUserInput", "absolute path")]
    [InlineData("""{"lora_name": "a", "lora_path": "/artifacts/team/a\u0000"}""", 400, "InvalidUserInput", "absolute path")]
    [InlineData("""{"lora_name": "a", "lora_path": "/artifacts/team/escape"}""", 400, "InvalidUserInput", "symbolic link")]
    [InlineData("""{"lora_name": "a", "lora_path": "/artifacts/team/linked"}""", 404, "NotFoundError", "no adapter_model.safetensors")]
    [InlineData("""{"lora_name": "a", "lora_path": "/artifacts/team/pickled"}""", 500, "InternalServerError", "a pickle, which")]
    [InlineData("""{"lora_name": "misfit", "lora_path": "/artifacts/team/good"}""", 500, "InternalServerError", "/team/good/adapter_model")]
    [InlineData("""{"lora_name": 1}""", 400, "BadRequestError", "wrong type")]
    public async Task What_cannot_be_loaded_is_refused_as_other_servers_do(string request, int code, string type, string message)
    {
        folders.Write("team", "good", FakeModel.Digest);
        Directory.CreateDirectory(folders.PathOf("/artifacts/team/empty"));
        File.WriteAllText(folders.PathOf("/artifacts/team/empty", "file"), "");
        Directory.CreateSymbolicLink(folders.PathOf("/artifacts/team/escape"), elsewhere);
        var linked = folders.Write("team", "linked", FakeModel.Digest);
        File.Delete(folders.PathOf(linked, ArtifactLayout.AdapterWeights));
        var pickled = folders.Write("team", "pickled", FakeModel.Digest);
        File.Move(folders.PathOf(pickled, ArtifactLayout.AdapterWeights), folders.PathOf(pickled, "adapter_model.bin"));
        File.WriteAllText(elsewhere + "/weights", "weights");
        File.CreateSymbolicLink(folders.PathOf(linked, ArtifactLayout.AdapterWeights), elsewhere + "/weights");

        var (status, body) = await server.PostAsync("/v1/load_lora_adapter", request);

        Assert.Equal(code, (int)status);
        Assert.Equal(type, (string)body["error"]!["type"]!);
        Assert.Equal(code, (int)body["error"]!["code"]!);
        Assert.Contains(message, (string)body["error"]!["message"]!, StringComparison.Ordinal);
        Assert.DoesNotContain(folders.Root, body.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(["base"], await Names());
    }

    [Theory]
    [InlineData("/v1/load_lora_adapter")]
    [InlineData("/v1/unload_lora_adapter")]
    public async Task Loading_and_unloading_are_answered_in_plain_text(string route)
    {
        var path = folders.Write("team", "run-1", FakeModel.Digest);
        if (route.Contains("unload", StringComparison.Ordinal)) await Load("intents", path);

        using var response = await server.Http.PostAsJsonAsync(route, new { lora_name = "intents", lora_path = path });

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/plain; charset=utf-8", response.Content.Headers.ContentType?.ToString());
    }

    public static TheoryData<string, string> Tampering => new()
    {
        { "weights", "adapter_model.safetensors has the digest sha256:" },
        { "longer weights", "adapter_model.safetensors has 9 bytes, and manifest.json says 7" },
        { "base", "it was trained on the base model sha256:2222" },
        { "unlisted", "manifest.json does not list adapter_model.safetensors" },
        { "escape", "'../good/adapter_model.safetensors', which leaves the folder" },
        { "kind", "its kind is Model" },
        { "version", "manifest.json has version 'graft.dev/artifact/v9'" },
        { "garbage", "manifest.json cannot be read" },
    };

    [Theory]
    [MemberData(nameof(Tampering))]
    public async Task An_adapter_that_differs_from_its_manifest_is_refused(string what, string message)
    {
        folders.Write("team", "good", FakeModel.Digest);
        var baseDigest = what == "base" ? Digests.Prefix + new string('2', 64) : FakeModel.Digest;
        var path = folders.Write("team", "bad", baseDigest, change: what switch
        {
            "unlisted" => m => m with { Files = [.. m.Files.Where(f => f.Name != ArtifactLayout.AdapterWeights)] },
            "escape" => m => m with { Files = [.. m.Files, new ArtifactFile("../good/adapter_model.safetensors", 7, m.Files[1].Digest)] },
            "kind" => m => m with { Kind = ArtifactKind.Model },
            "version" => m => m with { Version = "graft.dev/artifact/v9" },
            _ => null,
        });
        if (what == "weights") File.WriteAllText(folders.PathOf(path, ArtifactLayout.AdapterWeights), "WEIGHTS");
        if (what == "longer weights") File.WriteAllText(folders.PathOf(path, ArtifactLayout.AdapterWeights), "weights++");
        if (what == "garbage") File.WriteAllText(folders.PathOf(path, ArtifactLayout.Manifest), "{");

        var text = await Refused(Load("bad", path), 500, "InternalServerError", message);

        if (what == "base") Assert.Contains(FakeModel.Digest, text, StringComparison.Ordinal);
        Assert.Equal(["base"], await Names());
    }

    [Fact]
    public async Task An_adapter_without_a_manifest_and_one_below_an_allowed_folder_are_loaded()
    {
        var path = folders.Write("team", "plain", FakeModel.Digest);
        File.Delete(folders.PathOf(path, ArtifactLayout.Manifest));
        Directory.CreateDirectory(elsewhere + "/allowed");
        Directory.Move(folders.PathOf(folders.Write("team", "moved", FakeModel.Digest)), elsewhere + "/allowed/moved");

        Assert.Equal(HttpStatusCode.OK, (await Load("plain", path)).Status);
        Assert.Equal(HttpStatusCode.OK, (await Load("moved", elsewhere + "/allowed/moved")).Status);
        await Refused(Load("other", elsewhere + "/allowed-not"), 400, "InvalidUserInput", "--adapter-root");
    }

    [Fact]
    public async Task A_claim_may_itself_be_a_link()
    {
        folders.Write("real", "run-1", FakeModel.Digest);
        Directory.CreateSymbolicLink(Path.Combine(folders.Root, "claim"), Path.Combine(folders.Root, "real"));

        Assert.Equal(HttpStatusCode.OK, (await Load("intents", "/artifacts/claim/run-1")).Status);
    }

    [Fact]
    public async Task Unloading_what_is_not_there_is_not_found()
    {
        await Refused(Unload("nobody"), 404, "NotFoundError", "The lora adapter 'nobody' cannot be found.");
        await Refused(server.PostForTextAsync("/v1/unload_lora_adapter", new { }), 400, "InvalidUserInput", "'lora_name'");
    }

    private Task<(HttpStatusCode Status, string Text)> Load(string name, string path) =>
        server.PostForTextAsync("/v1/load_lora_adapter", new { lora_name = name, lora_path = path });

    private Task<(HttpStatusCode Status, string Text)> Unload(string name) =>
        server.PostForTextAsync("/v1/unload_lora_adapter", new { lora_name = name });

    private async Task<IEnumerable<string>> Names()
    {
        var models = System.Text.Json.Nodes.JsonNode.Parse(await server.Http.GetStringAsync("/v1/models"))!;
        return models["data"]!.AsArray().Select(c => (string)c!["id"]!);
    }

    private static async Task<string> Refused(Task<(HttpStatusCode Status, string Text)> answer, int code, string type, string message)
    {
        var (status, text) = await answer;
        Assert.True(code == (int)status, text);
        var error = System.Text.Json.Nodes.JsonNode.Parse(text)!["error"]!;
        Assert.Equal(type, (string)error["type"]!);
        Assert.Contains(message, (string)error["message"]!, StringComparison.Ordinal);
        return (string)error["message"]!;
    }
}
