using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using k8s;
using Microsoft.Extensions.Time.Testing;

namespace Graft.Runtime.Tests;

/// <summary>Answers requests as a test says, in place of an API server, and remembers them.</summary>
internal sealed class ScriptedServer(Func<ScriptedRequest, CancellationToken, Task<HttpResponseMessage>> answer) : DelegatingHandler
{
    public ConcurrentQueue<ScriptedRequest> Requests { get; } = new();

    public static ApiClient Client(ScriptedServer server, TimeProvider? time = null) => new(
        new KubernetesClientConfiguration { Host = "http://localhost:1" },
        // The timeout is out of reach of the steps in which a test lets time pass.
        new ApiClientOptions { FieldManager = "tester", TimeProvider = time ?? TimeProvider.System, Jitter = new Random(1), Timeout = TimeSpan.FromDays(10) },
        server);

    public static HttpResponseMessage Json(JsonNode body, HttpStatusCode code = HttpStatusCode.OK) =>
        new(code) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") };

    public static HttpResponseMessage Status(HttpStatusCode code, string reason, string message = "refused", JsonObject? details = null)
    {
        var status = StatusObject(code, reason, message);
        if (details is not null)
            status["details"] = details;
        return Json(status, code);
    }

    public static JsonObject StatusObject(HttpStatusCode code, string reason, string message) => new()
    {
        ["kind"] = "Status", ["apiVersion"] = "v1", ["status"] = "Failure", ["message"] = message, ["reason"] = reason, ["code"] = (int)code,
    };

    public static HttpResponseMessage Stream(WatchFeed feed) => new(HttpStatusCode.OK) { Content = new StreamContent(feed.Reader) };

    public static HttpResponseMessage List(string version, params JsonObject[] items) => Json(new JsonObject
    {
        ["kind"] = "PodList",
        ["apiVersion"] = "v1",
        ["metadata"] = new JsonObject { ["resourceVersion"] = version },
        ["items"] = new JsonArray([.. items.Select(i => i.DeepClone())]),
    });

    public static JsonObject Pod(string name, string version, string? uid = null, string ns = "ns") => new()
    {
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["namespace"] = ns,
            ["uid"] = uid ?? $"uid-{name}",
            ["resourceVersion"] = version,
            ["managedFields"] = new JsonArray(new JsonObject { ["manager"] = "someone" }),
        },
    };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken);
        var scripted = new ScriptedRequest(
            request.Method.Method, request.RequestUri!.AbsolutePath, request.RequestUri.Query, body is null ? null : JsonNode.Parse(body),
            request.Content?.Headers.ContentType?.MediaType);
        Requests.Enqueue(scripted);
        return await answer(scripted, cancellationToken);
    }
}

internal sealed record ScriptedRequest(string Method, string Path, string Query, JsonNode? Body, string? ContentType)
{
    public bool IsWatch => Query.Contains("watch=true", StringComparison.Ordinal);

    public string? Parameter(string name) => System.Web.HttpUtility.ParseQueryString(Query)[name];
}

/// <summary>The server's side of a watch.</summary>
internal sealed class WatchFeed
{
    private readonly Pipe _pipe = new();

    public Stream Reader => _pipe.Reader.AsStream();

    public async Task SendAsync(string type, JsonObject obj) => await _pipe.Writer.WriteAsync(
        Encoding.UTF8.GetBytes($"{new JsonObject { ["type"] = type, ["object"] = obj.DeepClone() }.ToJsonString()}\n"));

    public async Task SendRawAsync(string text) => await _pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes(text));

    public void Close() => _pipe.Writer.Complete();

    public void Break() => _pipe.Writer.Complete(new IOException("the connection was reset"));
}

internal static class Eventually
{
    /// <summary>Polls until the condition holds; with a time provider, time passes in steps meanwhile.</summary>
    public static async Task HoldsAsync(Func<bool> condition, FakeTimeProvider? time = null, TimeSpan step = default, string? because = null)
    {
        var deadline = DateTime.UtcNow + TimeSpan.FromSeconds(30);
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, because ?? "The condition did not come to hold within 30 s.");
            // On a busy machine the work that the last step set off may still be queued; time must not run away from it.
            while (ThreadPool.PendingWorkItemCount > 0 && DateTime.UtcNow < deadline)
                await Task.Delay(1);
            time?.Advance(step == default ? TimeSpan.FromMilliseconds(100) : step);
            await Task.Delay(1);
        }
    }
}
