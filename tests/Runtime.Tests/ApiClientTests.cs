using System.Net;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using static Graft.Runtime.Tests.ScriptedServer;

namespace Graft.Runtime.Tests;

public sealed class ApiClientTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task A_refusal_carries_the_servers_status()
    {
        using var server = Always(() => Status(HttpStatusCode.UnprocessableEntity, "Invalid", "Pod \"a\" is invalid", new JsonObject
        {
            ["name"] = "a",
            ["kind"] = "Pod",
            ["causes"] = new JsonArray(new JsonObject { ["reason"] = "FieldValueRequired", ["message"] = "Required value", ["field"] = "spec.x" }),
        }));
        using var client = Client(server);
        var error = await Assert.ThrowsAsync<ApiException>(() => client.CreateAsync(APod()));
        Assert.True(error.IsInvalid);
        Assert.False(error.IsTransient);
        Assert.Equal("Invalid", error.Reason);
        Assert.Equal([new StatusCause("FieldValueRequired", "Required value", "spec.x")], error.Status.Causes);
        Assert.Contains("Pod \"a\" is invalid", error.Message, StringComparison.Ordinal);
        Assert.Contains("POST /api/v1/namespaces/ns/pods", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpStatusCode.Conflict, "Conflict", true, false)]
    [InlineData(HttpStatusCode.Conflict, "AlreadyExists", false, true)]
    public async Task Two_kinds_of_409_are_told_apart(HttpStatusCode code, string reason, bool conflict, bool exists)
    {
        using var server = Always(() => Status(code, reason));
        using var client = Client(server);
        var error = await Assert.ThrowsAsync<ApiException>(() => client.CreateAsync(APod()));
        Assert.Equal((conflict, exists), (error.IsConflict, error.IsAlreadyExists));
    }

    [Fact]
    public async Task An_answer_that_is_no_status_still_has_a_message()
    {
        using var server = Always(() => new HttpResponseMessage(HttpStatusCode.BadGateway) { Content = new StringContent("<html>proxy</html>") });
        using var client = Client(server, _time);
        var error = await Assert.ThrowsAsync<ApiException>(() => client.CreateAsync(APod()));
        Assert.Contains("<html>proxy</html>", error.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task What_is_not_there_is_null_or_false()
    {
        using var server = Always(() => Status(HttpStatusCode.NotFound, "NotFound"));
        using var client = Client(server);
        Assert.Null(await client.GetAsync<V1Pod>("a", "ns"));
        Assert.False(await client.DeleteAsync(APod()));
    }

    [Fact]
    public async Task Any_request_waits_out_429()
    {
        var answers = new Queue<HttpResponseMessage>([TooMany(3), TooMany(1), Json(Pod("a", "1"), HttpStatusCode.Created)]);
        using var server = Always(answers.Dequeue);
        using var client = Client(server, _time);
        var started = _time.GetUtcNow();
        var creating = client.CreateAsync(APod());
        await Eventually.HoldsAsync(() => creating.IsCompleted, _time);
        Assert.Equal("a", (await creating).Metadata.Name);
        Assert.Equal(3, server.Requests.Count);
        Assert.InRange((_time.GetUtcNow() - started).TotalSeconds, 4, 6.5);
    }

    [Fact]
    public async Task A_broken_connection_repeats_reads_and_applies_but_not_creates()
    {
        var broken = 2;
        using var server = Always(() => broken-- > 0 ? throw new HttpRequestException("reset") : Json(Pod("a", "1")));
        using var client = Client(server, _time);
        var reading = client.GetAsync<V1Pod>("a", "ns");
        await Eventually.HoldsAsync(() => reading.IsCompleted, _time);
        Assert.NotNull(await reading);
        Assert.Equal(3, server.Requests.Count);

        broken = 1;
        var applying = client.ApplyAsync(APod());
        await Eventually.HoldsAsync(() => applying.IsCompleted, _time);
        await applying;

        broken = 1;
        await Assert.ThrowsAsync<HttpRequestException>(() => client.CreateAsync(APod()));
    }

    [Fact]
    public async Task Retries_are_bounded()
    {
        using var server = Always(() => Status(HttpStatusCode.ServiceUnavailable, "ServiceUnavailable"));
        using var client = Client(server, _time);
        var reading = client.GetAsync<V1Pod>("a", "ns");
        await Eventually.HoldsAsync(() => reading.IsCompleted, _time);
        await Assert.ThrowsAsync<ApiException>(() => reading);
        Assert.Equal(5, server.Requests.Count);
    }

    [Fact]
    public async Task An_apply_says_who_how_and_only_what_is_wanted()
    {
        using var server = Always(() => Json(Pod("a", "2")));
        using var client = Client(server);
        var pod = APod();
        pod.Metadata.ResourceVersion = "1";
        pod.Metadata.Uid = "u";
        await client.Resource<V1Pod>().ApplyStatusAsync(pod, new WriteOptions { DryRun = true });
        var request = Assert.Single(server.Requests);
        Assert.Equal(("PATCH", "/api/v1/namespaces/ns/pods/a/status", "application/apply-patch+yaml"), (request.Method, request.Path, request.ContentType));
        Assert.Equal(
            ("tester", "Strict", "All", "true"),
            (request.Parameter("fieldManager"), request.Parameter("fieldValidation"), request.Parameter("dryRun"), request.Parameter("force")));
        Assert.Equal("""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"ns"}}""", Sorted(request.Body!));
    }

    [Fact]
    public async Task A_delete_names_the_incarnation()
    {
        using var server = Always(() => Json(StatusObject(HttpStatusCode.OK, "", "")));
        using var client = Client(server);
        await client.Resource<V1Pod>().DeleteAsync("a", "ns", new DeleteOptions { Uid = "u1", PropagationPolicy = "Foreground", GracePeriodSeconds = 3 });
        var body = Assert.Single(server.Requests).Body!;
        Assert.Equal(
            ("Foreground", "u1", 3),
            ((string?)body["propagationPolicy"], (string?)body["preconditions"]!["uid"], (int)body["gracePeriodSeconds"]!));
    }

    [Fact]
    public async Task Lists_are_read_page_by_page_and_know_their_kind()
    {
        using var server = new ScriptedServer((r, _) =>
        {
            var page = List("7", Pod(r.Parameter("continue") ?? "first", "1"));
            if (r.Parameter("continue") is not null)
                return Task.FromResult(page);
            var first = JsonNode.Parse("""{"metadata":{"resourceVersion":"7","continue":"second"},"items":[]}""")!;
            ((JsonArray)first["items"]!).Add(Pod("first", "1"));
            return Task.FromResult(Json(first));
        });
        using var client = Client(server);
        var pods = await client.ListAsync<V1Pod>("ns", "app=x");
        Assert.Equal(["first", "second"], pods.Select(p => p.Metadata.Name));
        Assert.All(pods, p => Assert.Equal(("v1", "Pod"), (p.ApiVersion, p.Kind)));
        Assert.All(server.Requests, r => Assert.Equal("app=x", r.Parameter("labelSelector")));
    }

    [Fact]
    public async Task An_answer_of_a_pod_that_is_longer_than_wanted_is_refused_and_not_asked_for_again()
    {
        using var server = Always(() => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(new string('x', 101)) });
        using var client = Client(server);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.PodProxyGetAsync("a", "ns", 9090, "/progress", maxBytes: 100));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.PodProxyPostAsync("a", "ns", 8000, "/load", "{}"u8.ToArray(), maxBytes: 100));
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task An_error_that_is_longer_than_any_Status_is_cut_and_still_an_error()
    {
        using var server = Always(() => new HttpResponseMessage(HttpStatusCode.BadRequest) { Content = new StringContent(new string('x', 3 << 20)) });
        using var client = Client(server);
        var error = await Assert.ThrowsAsync<ApiException>(() => client.PodProxyGetAsync("a", "ns", 9090, "/progress", maxBytes: 100));
        Assert.Equal((HttpStatusCode.BadRequest, 1024), (error.StatusCode, error.Status.Message.Length));
    }

    [Fact]
    public async Task A_pods_port_is_reached_through_its_proxy()
    {
        using var server = Always(() => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("pong") });
        using var client = Client(server);
        Assert.Equal("pong"u8.ToArray(), await client.PodProxyGetAsync("a", "ns", 9090, "/progress?x=1", maxBytes: 100));
        var request = Assert.Single(server.Requests);
        Assert.Equal(("/api/v1/namespaces/ns/pods/a:9090/proxy/progress", "?x=1"), (request.Path, request.Query));
    }

    [Fact]
    public async Task A_watch_is_known_to_run_before_its_first_event()
    {
        var feed = new WatchFeed();
        using var server = Always(() => Stream(feed));
        using var client = Client(server);
        using var watch = await client.Resource<V1Pod>().WatchAsync(new ListOptions { Namespace = "ns", ResourceVersion = "5" }).WaitAsync(TimeSpan.FromSeconds(5));
        await feed.SendRawAsync("""{"type":"ADDED","object":{"metadata":{"name":"a","resour""");
        await feed.SendRawAsync("ceVersion\":\"6\"}}}\n");
        await feed.SendAsync("MODIFIED", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "b", ["resourceVersion"] = "7", ["creationTimestamp"] = "yesterday" } });
        await feed.SendAsync("BOOKMARK", new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = "9" } });
        feed.Close();
        var events = new List<WatchEvent<V1Pod>>();
        await foreach (var e in watch)
            events.Add(e);
        Assert.Equal([(WatchChange.Added, "6"), (WatchChange.Unreadable, "7"), (WatchChange.Bookmark, "9")], events.Select(e => (e.Change, e.ResourceVersion)));
        Assert.Contains("'b' cannot be read", events[1].Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_given_up()
    {
        using var server = new ScriptedServer(async (_, ct) =>
        {
            await Task.Delay(Timeout.Infinite, ct);
            throw new InvalidOperationException();
        });
        using var client = new ApiClient(
            new k8s.KubernetesClientConfiguration { Host = "http://localhost:1" }, new ApiClientOptions { TimeProvider = _time, MaxRetries = 1 }, server);
        var reading = client.GetAsync<V1Pod>("a", "ns");
        await Eventually.HoldsAsync(() => reading.IsCompleted, _time, TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<TimeoutException>(() => reading);
        Assert.Equal(2, server.Requests.Count);
    }

    private static ScriptedServer Always(Func<HttpResponseMessage> answer) => new((_, _) => Task.FromResult(answer()));

    private static HttpResponseMessage TooMany(int seconds)
    {
        var answer = Status(HttpStatusCode.TooManyRequests, "TooManyRequests");
        answer.Headers.RetryAfter = new System.Net.Http.Headers.RetryConditionHeaderValue(TimeSpan.FromSeconds(seconds));
        return answer;
    }

    private static V1Pod APod() => new() { Metadata = new V1ObjectMeta { Name = "a", NamespaceProperty = "ns" } };

    private static string Sorted(JsonNode node) => new JsonObject(((JsonObject)node).OrderBy(p => p.Key, StringComparer.Ordinal)
        .Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone()))).ToJsonString();
}
