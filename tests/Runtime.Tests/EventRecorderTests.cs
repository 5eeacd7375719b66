using System.Net;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using static Graft.Runtime.Tests.ScriptedServer;

namespace Graft.Runtime.Tests;

public sealed class EventRecorderTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private readonly Dictionary<string, JsonObject> _stored = [];
    private readonly ScriptedServer _server;
    private readonly ApiClient _client;
    private readonly EventRecorder _recorder;
    private readonly V1Pod _pod = new() { Metadata = new V1ObjectMeta { Name = "a", NamespaceProperty = "ns", Uid = "u" } };

    public EventRecorderTests()
    {
        _server = new ScriptedServer((r, _) => Task.FromResult(Answer(r)));
        _client = Client(_server, _time);
        _recorder = new EventRecorder(_client, "tester", _time);
    }

    public async ValueTask DisposeAsync()
    {
        await _recorder.DisposeAsync();
        _client.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task An_event_is_what_kubectl_describe_looks_for()
    {
        _recorder.Publish(_pod, "Started", "It began.");
        await _recorder.FlushAsync();
        var e = Assert.Single(_stored.Values);
        Assert.Equal(("Pod", "v1", "a", "ns", "u"), (
            (string?)e["involvedObject"]!["kind"], (string?)e["involvedObject"]!["apiVersion"], (string?)e["involvedObject"]!["name"],
            (string?)e["involvedObject"]!["namespace"], (string?)e["involvedObject"]!["uid"]));
        Assert.Equal(("Normal", "Started", "It began.", 1), ((string?)e["type"], (string?)e["reason"], (string?)e["message"], (int)e["count"]!));
        Assert.Equal("2020-01-01T00:00:00Z", (string?)e["lastTimestamp"]);
        Assert.Equal("tester", (string?)e["source"]!["component"]);
    }

    [Fact]
    public async Task Equal_events_are_counted()
    {
        for (var i = 0; i < 3; i++)
        {
            _recorder.Publish(_pod, "Failed", "no luck", EventType.Warning);
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        await _recorder.FlushAsync();
        var e = Assert.Single(_stored.Values);
        Assert.Equal(3, (int)e["count"]!);
        Assert.Equal(("2020-01-01T00:00:00Z", "2020-01-01T00:00:20Z"), ((string?)e["firstTimestamp"], (string?)e["lastTimestamp"]));
    }

    [Fact]
    public async Task An_event_that_expired_is_written_anew_and_goes_on_counting()
    {
        _recorder.Publish(_pod, "Failed", "no luck");
        await _recorder.FlushAsync();
        _stored.Clear();
        _recorder.Publish(_pod, "Failed", "no luck");
        await _recorder.FlushAsync();
        Assert.Equal(2, (int)Assert.Single(_stored.Values)["count"]!);
    }

    [Fact]
    public async Task Many_similar_events_are_combined()
    {
        for (var i = 0; i < 14; i++)
            _recorder.Publish(_pod, "Step", $"step {i}");
        await _recorder.FlushAsync();
        Assert.Equal(11, _stored.Count);
        var combined = Assert.Single(_stored.Values, e => ((string)e["message"]!).StartsWith("(combined from similar events)", StringComparison.Ordinal));
        Assert.Equal("(combined from similar events): step 13", (string?)combined["message"]);
        Assert.Equal(4, (int)combined["count"]!);
    }

    [Fact]
    public async Task A_flood_about_one_object_is_cut_and_others_are_heard()
    {
        for (var i = 0; i < 100; i++)
            _recorder.Publish(_pod, $"Reason{i}", "text");
        var other = new V1Pod { Metadata = new V1ObjectMeta { Name = "b", NamespaceProperty = "ns", Uid = "v" } };
        _recorder.Publish(other, "Fine", "text");
        await _recorder.FlushAsync();
        Assert.Equal(26, _stored.Count);
        _time.Advance(TimeSpan.FromSeconds(301));
        _recorder.Publish(_pod, "Later", "text");
        _recorder.Publish(_pod, "Dropped", "text");
        await _recorder.FlushAsync();
        Assert.Equal(27, _stored.Count);
    }

    [Fact]
    public async Task A_server_that_refuses_events_stops_nothing()
    {
        using var server = new ScriptedServer((_, _) => Task.FromResult(Status(HttpStatusCode.Forbidden, "Forbidden")));
        using var client = Client(server, _time);
        await using var recorder = new EventRecorder(client, "tester", _time);
        recorder.Publish(_pod, "A", "a");
        recorder.Publish(_pod, "B", "b");
        await recorder.FlushAsync();
        Assert.Equal(2, server.Requests.Count);
    }

    private HttpResponseMessage Answer(ScriptedRequest r)
    {
        if (r.Method == "POST")
        {
            _stored.Add((string)r.Body!["metadata"]!["name"]!, (JsonObject)r.Body.DeepClone());
            return Json(r.Body, HttpStatusCode.Created);
        }

        if (!_stored.TryGetValue(r.Path.Split('/')[^1], out var stored))
            return Status(HttpStatusCode.NotFound, "NotFound");
        foreach (var (name, value) in (JsonObject)r.Body!)
            stored[name] = value!.DeepClone();
        return Json(stored);
    }
}
