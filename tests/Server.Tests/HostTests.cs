using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Graft.Server.Engine;
using Graft.Server.Tests.Fakes;

namespace Graft.Server.Tests;

/// <summary>The server around the engine: while it loads, under load, when it stops, and who may ask.</summary>
public class HostTests
{
    [Theory]
    [InlineData("GET", "/health")]
    [InlineData("GET", "/v1/models")]
    [InlineData("POST", "/v1/completions")]
    [InlineData("POST", "/v1/chat/completions")]
    [InlineData("POST", "/v1/load_lora_adapter")]
    public async Task While_the_model_loads_the_server_listens_and_answers_503(string method, string path)
    {
        using var ready = new ManualResetEventSlim();
        await using var server = await TestServer.StartAsync(
            () =>
            {
                ready.Wait(TimeSpan.FromSeconds(30));
                return new FakeModel();
            },
            awaitModel: false);
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method == "POST") request.Content = JsonContent.Create(new { prompt = "x", lora_name = "a", lora_path = "/artifacts/c/a" });

        using var response = await server.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("The model is loading.", (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["message"]!);
        Assert.NotNull(response.Headers.RetryAfter);
        ready.Set();
        await server.Host.Engine.Loaded;
        Assert.Equal("", await server.Http.GetStringAsync("/health"));
    }

    [Fact]
    public async Task A_full_queue_answers_429_and_takes_requests_again_afterwards()
    {
        var model = new FakeModel();
        var limits = new EngineLimits(MaxSequences: 1, MaxWaiting: 1);
        await using var server = await TestServer.StartAsync(model, o => o with { Limits = limits });
        model.Gate.Reset();
        var running = server.CompleteAsync(new { prompt = "1" });
        await server.UntilMetricAsync("graft_num_requests_running 1");

        var crowd = Enumerable.Range(0, 3).Select(_ => server.PostAsync("/v1/completions", new { prompt = "2" })).ToList();
        for (var i = 0; i < 2; i++)
        {
            var refused = await Task.WhenAny(crowd);
            crowd.Remove(refused);
            Assert.Equal(HttpStatusCode.TooManyRequests, (await refused).Status);
        }
        model.Gate.Set();

        Assert.Equal("base:1", await running);
        Assert.Equal(HttpStatusCode.OK, (await crowd[0]).Status);
        Assert.Equal("base:3", await server.CompleteAsync(new { prompt = "3" }));
    }

    [Fact]
    public async Task A_client_that_goes_away_leaves_the_batch()
    {
        var model = new FakeModel();
        await using var server = await TestServer.StartAsync(model);
        model.Gate.Reset();
        using var cancel = new CancellationTokenSource();
        var request = new { prompt = "a prompt that takes a while", max_tokens = 50 };
        var gone = server.Http.PostAsJsonAsync("/v1/completions", request, cancel.Token);
        await server.UntilMetricAsync("graft_num_requests_running 1");

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        await server.UntilMetricAsync("graft_http_requests_total{path=\"/v1/completions\",code=\"499\"} 1");
        model.Gate.Set();

        await Eventually.IsTrue(async () => await server.Host.Engine.InvokeAsync(_ => model.OpenAnswers) == 0);
        Assert.InRange(await server.Host.Engine.InvokeAsync(_ => model.Batches.Count), 0, 5);
    }

    [Fact]
    public async Task Stopping_waits_for_answers_that_are_being_written()
    {
        var model = new FakeModel();
        await using var server = await TestServer.StartAsync(model);
        model.Gate.Reset();
        var answer = server.CompleteAsync(new { prompt = "last words" });
        await server.UntilMetricAsync("graft_num_requests_running 1");

        var stop = server.Host.StopAsync();
        await Eventually.IsTrue(async () =>
        {
            using var fresh = new HttpClient();
            try
            {
                await fresh.GetAsync(new Uri(server.Http.BaseAddress!, "/health"));
                return false;
            }
            catch (HttpRequestException)
            {
                return true; // nobody listens any more
            }
        });
        Assert.False(stop.IsCompleted);
        model.Gate.Set();

        Assert.Equal("base:last words", await answer);
        await stop.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Answers_that_outlast_the_grace_period_are_cut()
    {
        var model = new FakeModel();
        await using var server = await TestServer.StartAsync(model, o => o with { GracePeriod = TimeSpan.FromMilliseconds(200) });
        model.Gate.Reset();
        var answer = server.Http.PostAsJsonAsync("/v1/completions", new { prompt = "x" });
        await server.UntilMetricAsync("graft_num_requests_running 1");

        var stop = server.Host.StopAsync();

        await Assert.ThrowsAsync<HttpRequestException>(() => answer.WaitAsync(TimeSpan.FromSeconds(20)));
        model.Gate.Set();
        await stop.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData("127.0.0.1:8000", true)]
    [InlineData("127.3.2.1", true)]
    [InlineData("[::1]:8000", true)]
    [InlineData("localhost:8000", true)]
    [InlineData("support", true)]
    [InlineData("support.ml.svc:8000", true)]
    [InlineData("support.ml.svc.cluster.local", true)]
    [InlineData("evil.example", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("127.0.0.1.evil.example", false)]
    public async Task On_loopback_only_local_host_names_are_answered(string host, bool answered)
    {
        await using var server = await TestServer.StartAsync(new FakeModel());
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models") { Headers = { Host = host } };

        using var response = await server.Http.SendAsync(request);

        Assert.Equal(answered ? HttpStatusCode.OK : HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/nowhere", 404)]
    [InlineData("GET", "/v1/completions", 405)]
    [InlineData("DELETE", "/v1/models", 405)]
    public async Task Unknown_paths_and_methods_have_an_error_body_too(string method, string path, int code)
    {
        await using var server = await TestServer.StartAsync(new FakeModel());
        using var request = new HttpRequestMessage(new HttpMethod(method), path);

        using var response = await server.Http.SendAsync(request);

        Assert.Equal(code, (int)response.StatusCode);
        Assert.Equal(code, (int)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["code"]!);
    }

    [Fact]
    public async Task A_body_that_is_not_declared_as_json_is_refused()
    {
        await using var server = await TestServer.StartAsync(new FakeModel());
        using var content = new StringContent("""{"lora_name": "a", "lora_path": "/artifacts/c/a"}""", Encoding.UTF8, "text/plain");

        using var response = await server.Http.PostAsync("/v1/load_lora_adapter", content);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData("/v1/completions", """{"prompt": "\ud800"}""")]
    [InlineData("/v1/completions", """{"model": "\ud800", "prompt": "x"}""")]
    [InlineData("/v1/completions", """{"prompt": ["a", "\udfff"]}""")]
    [InlineData("/v1/completions", """{"prompt": "x", "stop": "\ud800"}""")]
    [InlineData("/v1/chat/completions", """{"messages": [{"role": "user", "content": "\ud800"}]}""")]
    [InlineData("/v1/chat/completions", """{"messages": [{"role": "user", "content": [{"ty\ud800": 1, "type": "text", "text": "x"}]}]}""")]
    [InlineData("/v1/load_lora_adapter", """{"lora_name": "\ud800", "lora_path": "/artifacts/c/a"}""")]
    public async Task A_body_with_half_of_a_surrogate_pair_is_refused(string route, string body)
    {
        await using var server = await TestServer.StartAsync(new FakeModel());

        var (status, answer) = await server.PostAsync(route, body);

        Assert.True(status == HttpStatusCode.BadRequest, answer.ToJsonString());
        Assert.Contains("surrogate pair", (string)answer["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_is_not_utf8_is_refused_and_one_with_a_byte_order_mark_is_not()
    {
        await using var server = await TestServer.StartAsync(new FakeModel());
        async Task<HttpStatusCode> Post(byte[] body)
        {
            using var content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } };
            using var response = await server.Http.PostAsync("/v1/completions", content);
            return response.StatusCode;
        }

        Assert.Equal(HttpStatusCode.BadRequest, await Post([.. """{"prompt": "a"""u8, 0xc3, .. "\"}"u8]));
        Assert.Equal(HttpStatusCode.BadRequest, await Post([]));
        Assert.Equal(HttpStatusCode.OK, await Post([0xef, 0xbb, 0xbf, .. """{"prompt": "a"}"""u8]));
    }

    [Fact]
    public async Task Metrics_count_what_was_done()
    {
        using var folders = new AdapterFolders();
        await using var server = await TestServer.StartAsync(new FakeModel(), artifacts: folders.Root);
        var path = folders.Write("c", "a", FakeModel.Digest);
        await server.PostForTextAsync("/v1/load_lora_adapter", new { lora_name = "intents", lora_path = path });
        await server.CompleteAsync(new { model = "intents", prompt = "Hi", max_tokens = 3 });
        await server.PostAsync("/v1/completions", new { model = "nobody", prompt = "Hi" });

        var metrics = (await server.Http.GetStringAsync("/metrics")).Split('\n');

        Assert.Contains("graft_prompt_tokens_total 2", metrics);
        Assert.Contains("graft_generation_tokens_total 3", metrics);
        Assert.Contains("graft_time_to_first_token_seconds_count 1", metrics);
        Assert.Contains("graft_e2e_request_latency_seconds_count 1", metrics);
        Assert.Contains("graft_lora_adapters_loaded 1", metrics);
        Assert.Contains("graft_lora_adapter_loaded{adapter_name=\"intents\"} 1", metrics);
        Assert.Contains("graft_request_success_total{model_name=\"intents\",finished_reason=\"length\"} 1", metrics);
        Assert.Contains("graft_http_requests_total{path=\"/v1/completions\",code=\"200\"} 1", metrics);
        Assert.Contains("graft_http_requests_total{path=\"/v1/completions\",code=\"404\"} 1", metrics);
    }
}
