using System.Net;
using System.Text.Json.Nodes;
using Graft.Server.Tests.Fakes;

namespace Graft.Server.Tests;

/// <summary>Loading with <c>load_inplace</c>: another adapter under a name that is in use.</summary>
public sealed class ReplaceAdapterTests : IAsyncLifetime
{
    private readonly FakeModel model = new() { Voice = (_, folder) => Path.GetFileName(folder) };
    private readonly AdapterFolders folders = new();
    private TestServer server = null!;

    public async Task InitializeAsync() => server = await TestServer.StartAsync(model, o => o with { MaxAdapters = 1 }, folders.Root);

    public async Task DisposeAsync()
    {
        model.Gate.Set();
        await server.DisposeAsync();
        folders.Dispose();
    }

    [Fact]
    public async Task A_name_that_is_not_in_use_is_loaded_as_ever()
    {
        Assert.Equal(HttpStatusCode.OK, await Load("run-1"));

        Assert.Equal("run-1:Hi", await server.CompleteAsync(new { model = "intents", prompt = "Hi" }));
    }

    [Fact]
    public async Task The_new_adapter_answers_new_requests_and_the_old_one_finishes_its_own()
    {
        await Load("run-1");
        model.Gate.Reset();
        var before = server.PostAsync("/v1/completions", new { model = "intents", prompt = new[] { "a", "b" } });
        await server.UntilMetricAsync("graft_num_requests_running 2");
        var replaced = Load("run-2"); // the engine takes it in after the step in which it stands
        model.Gate.Set();

        Assert.Equal(HttpStatusCode.OK, await replaced);
        Assert.Equal("run-2:Hi", await server.CompleteAsync(new { model = "intents", prompt = "Hi" }));
        var choices = (await before).Body["choices"]!.AsArray();
        Assert.Equal(["run-1:a", "run-1:b"], choices.Select(c => (string)c!["text"]!));
        await Eventually.IsTrue(async () => await server.Host.Engine.InvokeAsync(_ => model.Freed.ToArray()) is ["run-1"]);
        var cards = JsonNode.Parse(await server.Http.GetStringAsync("/v1/models"))!["data"]!.AsArray();
        Assert.Equal(["/models/tiny", "/artifacts/team/run-2"], cards.Select(c => (string)c!["root"]!));
        var metrics = (await server.Http.GetStringAsync("/metrics")).Split('\n');
        Assert.Contains("graft_lora_adapters_loaded 1", metrics);
        Assert.Contains("graft_lora_adapter_loaded{adapter_name=\"intents\"} 1", metrics);
    }

    [Fact]
    public async Task An_adapter_that_is_refused_leaves_the_old_one_in_place()
    {
        await Load("run-1");
        var wrong = folders.Write("team", "wrong", "sha256:" + new string('2', 64));

        var (status, _) = await server.PostForTextAsync(
            "/v1/load_lora_adapter", new { lora_name = "intents", lora_path = wrong, load_inplace = true });

        Assert.Equal(HttpStatusCode.InternalServerError, status);
        Assert.Equal("run-1:Hi", await server.CompleteAsync(new { model = "intents", prompt = "Hi" }));
    }

    [Fact]
    public async Task No_request_fails_while_adapters_are_replaced_under_it()
    {
        await Load("run-0");
        using var done = new CancellationTokenSource();
        var asking = Task.Run(async () =>
        {
            var answers = 0;
            for (; !done.IsCancellationRequested; answers++)
            {
                var (status, body) = await server.PostAsync("/v1/completions", new { model = "intents", prompt = new[] { "x", "y", "z" } });
                Assert.True(status == HttpStatusCode.OK, body.ToJsonString());
                var voices = body["choices"]!.AsArray().Select(c => ((string)c!["text"]!).Split(':')[0]).Distinct();
                Assert.Single(voices);
            }
            return answers;
        });

        for (var i = 1; i <= 30; i++) Assert.Equal(HttpStatusCode.OK, await Load($"run-{i}"));
        await done.CancelAsync();

        Assert.True(await asking > 0);
        await Eventually.IsTrue(async () => await server.Host.Engine.InvokeAsync(_ => model.Freed.Count) == 30);
    }

    private async Task<HttpStatusCode> Load(string run)
    {
        var path = folders.Write("team", run, FakeModel.Digest);
        var (status, _) = await server.PostForTextAsync(
            "/v1/load_lora_adapter", new { lora_name = "intents", lora_path = path, load_inplace = true });
        return status;
    }
}
