using Graft.Operator.Pods;
using Graft.Operator.Rollout;
using k8s.Models;

namespace Graft.Operator.Tests;

public class EngineClientTests
{
    [Theory]
    [InlineData("""{"error":{"message":"no such file","type":"NotFoundError","code":404}}""", "no such file")]
    [InlineData("""{"object":"error","message":"already loaded","type":"InvalidUserInput","code":400}""", "already loaded")]
    [InlineData("""{"error":"plain"}""", "plain")]
    [InlineData("""{"detail":"Not Found"}""", "Not Found")]
    [InlineData("<html>bad gateway</html>", "<html>bad gateway</html>")]
    [InlineData("[1]", "[1]")]
    public void Errors_are_understood_in_every_shape_that_engines_use(string body, string message) =>
        Assert.Equal(message, EngineClient.ErrorText(body));

    [Fact]
    public void Adapters_are_told_from_the_base_model_by_their_parent()
    {
        var report = EngineClient.Parse("""
            {"object":"list","data":[
              {"id":"support","root":"/models/base","parent":null},
              {"id":"intents","root":"/artifacts/adapters/one","parent":"support"}]}
            """);
        Assert.Null(report.Error);
        Assert.Equal(("intents", "/artifacts/adapters/one"), (report.Adapters.Single().Key, report.Adapters.Single().Value));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("""{"data":"x"}""")]
    [InlineData("""{"data":[{"id":"a","parent":"b","root":1}, 7]}""")]
    public void A_list_that_cannot_be_read_is_no_list(string body) => Assert.NotNull(EngineClient.Parse(body).Error);

    [Fact]
    public async Task A_load_names_the_adapter_and_its_path_and_a_refusal_comes_back_verbatim()
    {
        var pods = new ScriptedPods(new PodAnswer(404, """{"error":{"message":"No adapter found for /artifacts/x"}}"""));
        var client = new EngineClient(pods, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        var trouble = await client.CallAsync(new EngineCall.Load(Make.ServerPod("a"), "intents", "/artifacts/x"), default);
        Assert.Equal(new EngineTrouble("a", "intents", "No adapter found for /artifacts/x (404)", IsRefusal: true), trouble);
        Assert.Equal(("/v1/load_lora_adapter", """{"lora_name":"intents","lora_path":"/artifacts/x"}"""), Assert.Single(pods.Requests));
    }

    [Theory]
    [InlineData(400, true)]
    [InlineData(404, true)]
    [InlineData(500, true)]
    [InlineData(408, false)]
    [InlineData(429, false)]
    [InlineData(502, false)]
    [InlineData(503, false)]
    [InlineData(504, false)]
    public async Task Only_an_answer_about_the_adapter_is_a_refusal(int status, bool refusal)
    {
        var pods = new ScriptedPods(new PodAnswer(status, """{"error":{"message":"its words"}}"""));
        var client = new EngineClient(pods, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        var trouble = await client.CallAsync(new EngineCall.Load(Make.ServerPod("a"), "intents", "/artifacts/x"), default);
        Assert.Equal(new EngineTrouble("a", "intents", $"its words ({status})", refusal), trouble);
    }

    [Fact]
    public async Task An_engine_that_does_not_answer_a_load_has_not_refused_it()
    {
        var client = new EngineClient(new ScriptedPods(null), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        var trouble = await client.CallAsync(new EngineCall.Load(Make.ServerPod("a"), "intents", "/artifacts/x"), default);
        Assert.Equal(new EngineTrouble("a", "intents", "gone", IsRefusal: false), trouble);
    }

    [Fact]
    public async Task An_engine_that_does_not_answer_is_an_error_of_its_report()
    {
        var client = new EngineClient(new ScriptedPods(null), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        Assert.Contains("gone", (await client.ReportAsync(Make.ServerPod("a"), default)).Error, StringComparison.Ordinal);
    }

    private sealed class ScriptedPods(PodAnswer? answer) : IPodHttp
    {
        public List<(string Path, string? Json)> Requests { get; } = [];

        public Task<PodAnswer> SendAsync(V1Pod pod, int port, string path, string? json, TimeSpan timeout, CancellationToken cancellation)
        {
            Requests.Add((path, json));
            return answer is null ? throw new PodUnreachableException("gone") : Task.FromResult(answer);
        }
    }
}
