using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Graft.Server.Engine;
using Graft.Server.Hosting;

namespace Graft.Server.Tests.Fakes;

/// <summary>A server of this process on a free loopback port, and a client for it.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private TestServer(ServerHost host)
    {
        Host = host;
        Http = new HttpClient { BaseAddress = host.Address, Timeout = TimeSpan.FromSeconds(60) };
    }

    public ServerHost Host { get; }
    public HttpClient Http { get; }

    public static Task<TestServer> StartAsync(
        IEngineModel model, Func<ServerOptions, ServerOptions>? change = null, string? artifacts = null) =>
        StartAsync(() => model, change, artifacts);

    /// <param name="artifacts">Where <c>/artifacts</c> is.</param>
    /// <param name="awaitModel">False returns while the model is still loading.</param>
    public static async Task<TestServer> StartAsync(
        Func<IEngineModel> load, Func<ServerOptions, ServerOptions>? change = null, string? artifacts = null, bool awaitModel = true)
    {
        var options = new ServerOptions
        {
            Model = "/models/tiny",
            ServedModelName = "base",
            Endpoint = new IPEndPoint(IPAddress.Loopback, 0),
            GracePeriod = TimeSpan.FromSeconds(20),
        };
        var host = ServerHost.Create(
            change?.Invoke(options) ?? options, load, TimeProvider.System, v => v == "GRAFT_ARTIFACTS_DIR" ? artifacts : null);
        await host.StartAsync();
        if (awaitModel) await host.Engine.Loaded;
        return new TestServer(host);
    }

    public async Task<(HttpStatusCode Status, JsonNode Body)> PostAsync(string path, object body)
    {
        using HttpContent content = body is string raw
            ? new StringContent(raw, Encoding.UTF8, "application/json")
            : JsonContent.Create(body);
        using var response = await Http.PostAsync(path, content);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    /// <summary>The text of the first choice.</summary>
    public async Task<string> CompleteAsync(object body)
    {
        var (status, answer) = await PostAsync("/v1/completions", body);
        Assert.True(status == HttpStatusCode.OK, answer.ToJsonString());
        return (string)answer["choices"]![0]!["text"]!;
    }

    public async Task<(HttpStatusCode Status, string Text)> PostForTextAsync(string path, object body)
    {
        using var response = await Http.PostAsJsonAsync(path, body);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Every chunk of a stream, which must end with [DONE].</summary>
    public async Task<IReadOnlyList<JsonNode>> StreamAsync(string path, object body)
    {
        using var response = await Http.PostAsJsonAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        var events = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.All(events, e => Assert.StartsWith("data: ", e, StringComparison.Ordinal));
        Assert.Equal("data: [DONE]", events[^1]);
        return [.. events[..^1].Select(e => JsonNode.Parse(e["data: ".Length..])!)];
    }

    /// <summary>Waits for a line of <c>/metrics</c>.</summary>
    public Task UntilMetricAsync(string line) =>
        Eventually.IsTrue(async () => (await Http.GetStringAsync("/metrics")).Split('\n').Contains(line));

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Host.StopAsync();
        await Host.DisposeAsync();
    }
}
