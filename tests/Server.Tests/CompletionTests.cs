using System.Net;
using System.Text.Json.Nodes;
using Graft.Server.Tests.Fakes;

namespace Graft.Server.Tests;

/// <summary>The shapes of <c>/v1/completions</c> and <c>/v1/models</c>, and what is refused; answered by a fake model.</summary>
public sealed class CompletionTests : IAsyncLifetime
{
    private readonly FakeModel model = new() { Poison = "poison" };
    private TestServer server = null!;

    public async Task InitializeAsync() => server = await TestServer.StartAsync(model, o => o with { MaxRequestBytes = 20_000 });

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task An_answer_has_text_reason_and_usage()
    {
        var request = new { model = "base", prompt = "Hi", max_tokens = 50, unheard_of = 1 };
        var (status, body) = await server.PostAsync("/v1/completions", request);

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.StartsWith("cmpl-", (string)body["id"]!, StringComparison.Ordinal);
        Assert.Equal("text_completion", (string)body["object"]!);
        Assert.Equal("base", (string)body["model"]!);
        Assert.True((long)body["created"]! > 1_700_000_000);
        Assert.Equal("""[{"index":0,"text":"base:Hi","logprobs":null,"finish_reason":"stop"}]""", body["choices"]!.ToJsonString());
        Assert.Equal("""{"prompt_tokens":2,"completion_tokens":8,"total_tokens":10}""", body["usage"]!.ToJsonString());
    }

    [Fact]
    public async Task A_request_without_a_model_means_the_base_and_sixteen_tokens()
    {
        var (_, body) = await server.PostAsync("/v1/completions", new { prompt = "a long prompt indeed" });

        Assert.Equal("base:a long prom", (string)body["choices"]![0]!["text"]!);
        Assert.Equal("length", (string)body["choices"]![0]!["finish_reason"]!);
    }

    [Fact]
    public async Task Each_of_several_prompts_gets_a_choice()
    {
        var (_, texts) = await server.PostAsync("/v1/completions", new { prompt = new[] { "a", "bb" } });
        var (_, ids) = await server.PostAsync("/v1/completions", new { prompt = new[] { new[] { 97 }, [98, 98] } });
        var single = await server.CompleteAsync(new { prompt = new[] { 98, 98 } });

        Assert.Equal(["base:a", "base:bb"], texts["choices"]!.AsArray().Select(c => (string)c!["text"]!));
        Assert.Equal(["base:a", "base:bb"], ids["choices"]!.AsArray().Select(c => (string)c!["text"]!));
        Assert.Equal([0, 1], ids["choices"]!.AsArray().Select(c => (int)c!["index"]!));
        Assert.Equal("base:bb", single);
    }

    [Fact]
    public async Task A_stream_has_the_same_text_and_ends_with_usage_when_asked()
    {
        var body = new { prompt = "Hi", stream = true, stream_options = new { include_usage = true } };
        var chunks = await server.StreamAsync("/v1/completions", body);

        Assert.Equal("base:Hi", Text(chunks));
        Assert.Single(chunks.Select(c => (string)c["id"]!).Distinct());
        Assert.All(chunks, c => Assert.Equal("text_completion", (string)c["object"]!));
        Assert.Equal("stop", (string)chunks[^2]["choices"]![0]!["finish_reason"]!);
        Assert.Empty(chunks[^1]["choices"]!.AsArray());
        Assert.Equal("""{"prompt_tokens":2,"completion_tokens":8,"total_tokens":10}""", chunks[^1]["usage"]!.ToJsonString());
    }

    [Fact]
    public async Task A_stream_of_several_prompts_marks_each_chunk_with_its_index()
    {
        var chunks = await server.StreamAsync("/v1/completions", new { prompt = new[] { "x", "y" }, stream = true });

        Assert.Equal("base:x", Text(chunks, index: 0));
        Assert.Equal("base:y", Text(chunks, index: 1));
    }

    [Fact]
    public async Task A_stream_that_fails_half_way_says_so_in_the_stream()
    {
        var chunks = await server.StreamAsync("/v1/completions", new { prompt = "poison", stream = true });

        Assert.Equal(500, (int)Assert.Single(chunks)["error"]!["code"]!);
    }

    [Fact]
    public async Task Log_probabilities_come_with_each_token()
    {
        var (_, body) = await server.PostAsync("/v1/completions", new { prompt = "", max_tokens = 1, logprobs = 2 });
        Assert.Equal(400, (int)body["error"]!["code"]!);

        (_, body) = await server.PostAsync("/v1/completions", new { prompt = "a", max_tokens = 2, logprobs = 2 });
        var logprobs = body["choices"]![0]!["logprobs"]!;
        Assert.Equal("""["b","a"]""", logprobs["tokens"]!.ToJsonString());
        Assert.Equal("[-0.5,-0.5]", logprobs["token_logprobs"]!.ToJsonString());
        Assert.Equal("""[{"b":-0.5,"c":-1.5},{"a":-0.5,"b":-1.5}]""", logprobs["top_logprobs"]!.ToJsonString());
        Assert.Equal("[0,1]", logprobs["text_offset"]!.ToJsonString());

        var chunks = await server.StreamAsync("/v1/completions", new { prompt = "a", max_tokens = 2, logprobs = 0, stream = true });
        Assert.Equal([0, 1], chunks.Select(c => (int)c["choices"]![0]!["logprobs"]!["text_offset"]![0]!));
    }

    [Theory]
    [InlineData("""{"model": "nobody", "prompt": "x"}""", 404, "NotFoundError", "model", "The model `nobody` does not exist.")]
    [InlineData("""{"prompt": ""}""", 400, "BadRequestError", "prompt", "must not be empty")]
    [InlineData("""{"prompt": []}""", 400, "BadRequestError", "prompt", "must not be empty")]
    [InlineData("""{"prompt": ["x", ""]}""", 400, "BadRequestError", "prompt", "must not be empty")]
    [InlineData("""{}""", 400, "BadRequestError", "prompt", "is missing")]
    [InlineData("""{"prompt": null}""", 400, "BadRequestError", "prompt", "is missing")]
    [InlineData("""{"prompt": {"a": 1}}""", 400, "BadRequestError", "prompt", "must be a string")]
    [InlineData("""{"prompt": [1, 257]}""", 400, "BadRequestError", "prompt", "from 0 to 256")]
    [InlineData("""{"prompt": [1.5]}""", 400, "BadRequestError", "prompt", "from 0 to 256")]
    [InlineData("""{"prompt": [1, "x"]}""", 400, "BadRequestError", "prompt", "must be a string")]
    [InlineData("""{"prompt": "x", "max_tokens": 100}""", 400, "BadRequestError", "max_tokens", "maximum context length is 100 tokens")]
    [InlineData("""{"prompt": "x", "max_tokens": 0}""", 400, "BadRequestError", "max_tokens", "at least 1")]
    [InlineData("""{"prompt": "x", "max_tokens": "9"}""", 400, "BadRequestError", "max_tokens", "wrong type")]
    [InlineData("""{"prompt": "x", "max_tokens": 99999999999}""", 400, "BadRequestError", "max_tokens", "wrong type")]
    [InlineData("""{"prompt": "x", "temperature": -1}""", 400, "BadRequestError", "temperature", "0 to 100")]
    [InlineData("""{"prompt": "x", "top_p": 0, "top_k": -2}""", 400, "BadRequestError", "top_p", "'top_k' must be")]
    [InlineData("""{"prompt": "x", "min_p": 1.5, "repetition_penalty": 0}""", 400, "BadRequestError", "min_p", "'repetition_penalty' must be")]
    [InlineData("""{"prompt": "x", "n": 2}""", 400, "BadRequestError", "n", "must be 1")]
    [InlineData("""{"prompt": "x", "stop": [1]}""", 400, "BadRequestError", "stop", "list of strings")]
    [InlineData("""{"prompt": "x", "stop": ""}""", 400, "BadRequestError", "stop", "none of them empty")]
    [InlineData("""{"prompt": "x", "logprobs": 99}""", 400, "BadRequestError", "logprobs", "at most 20")]
    [InlineData("""{"prompt": "x", "echo": true}""", 400, "BadRequestError", "echo", "not supported")]
    [InlineData("""{"prompt": "x", "presence_penalty": 0.5}""", 400, "BadRequestError", "presence_penalty", "not supported")]
    [InlineData("""{"prompt": "x", "logit_bias": {"1": 2}}""", 400, "BadRequestError", "logit_bias", "not supported")]
    [InlineData("""{"prompt": "x", "response_format": {"type": "json"}}""", 400, "BadRequestError", "response_format", "not supported")]
    [InlineData("""{"prompt": "x", "stream_options": {}}""", 400, "BadRequestError", "stream_options", "'stream': true")]
    [InlineData("""{"prompt": """, 400, "BadRequestError", null, "not valid JSON: line 1")]
    [InlineData("""[]""", 400, "BadRequestError", null, "must be a JSON object")]
    [InlineData("""null""", 400, "BadRequestError", null, "must be a JSON object")]
    [InlineData("", 400, "BadRequestError", null, "not valid JSON")]
    [InlineData("""{"prompt": "poison"}""", 500, "InternalServerError", null, "engine failed")]
    public async Task What_cannot_be_answered_is_said_in_the_shape_of_the_protocol(
        string request, int code, string type, string? param, string message)
    {
        var (status, body) = await server.PostAsync("/v1/completions", request);

        Assert.Equal(code, (int)status);
        Assert.Equal(code, (int)body["error"]!["code"]!);
        Assert.Equal(type, (string)body["error"]!["type"]!);
        Assert.Equal(param, (string?)body["error"]!["param"]);
        Assert.Contains(message, (string)body["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"prompt": "x", "n": 1, "best_of": 1, "echo": false, "suffix": null, "logit_bias": {}, "top_k": -1, "min_p": 0.1, "repetition_penalty": 1.1}""")]
    [InlineData("""{"prompt": "x", "response_format": {"type": "text"}, "stop": null, "seed": 7, "user": "me", "stream": false}""")]
    [InlineData("""{"prompt": "x", "temperature": null, "top_p": null, "max_tokens": null}""")]
    public async Task Defaults_of_other_servers_may_be_spelt_out(string request)
    {
        var (status, body) = await server.PostAsync("/v1/completions", request);

        Assert.True(status == HttpStatusCode.OK, body.ToJsonString());
    }

    [Fact]
    public async Task A_chat_with_a_model_without_a_template_is_refused_with_the_reason()
    {
        var messages = new[] { new { role = "user", content = "Hi" } };
        var (status, body) = await server.PostAsync("/v1/chat/completions", new { messages });

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("no chat template", (string)body["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_over_the_limit_is_refused()
    {
        var (status, body) = await server.PostAsync("/v1/completions", new { prompt = new string('x', 30_000) });

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
        Assert.Contains("20000 bytes", (string)body["error"]!["message"]!, StringComparison.Ordinal);
    }

    private static string Text(IEnumerable<JsonNode> chunks, int index = 0) => string.Concat(chunks
        .SelectMany(c => c["choices"]!.AsArray())
        .Where(c => (int)c!["index"]! == index)
        .Select(c => (string)c!["text"]!));
}
