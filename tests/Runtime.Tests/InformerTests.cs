using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using static Graft.Runtime.Tests.ScriptedServer;

namespace Graft.Runtime.Tests;

/// <summary>The informer against a server whose lists and watches each test scripts.</summary>
public sealed class InformerTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch);
    private readonly ConcurrentQueue<HttpResponseMessage> _lists = new();
    private readonly ConcurrentQueue<Func<HttpResponseMessage>> _watches = new();
    private readonly ConcurrentQueue<string> _events = new();
    private readonly ScriptedServer _server;
    private readonly ApiClient _client;
    private readonly Informer<V1Pod> _informer;
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public InformerTests()
    {
        _server = new ScriptedServer(async (r, ct) =>
        {
            if (!r.IsWatch)
                return _lists.TryDequeue(out var list) ? list : Status(HttpStatusCode.InternalServerError, "InternalError", "no list scripted");
            if (_watches.TryDequeue(out var watch))
                return watch();
            await Task.Delay(Timeout.Infinite, ct);
            throw new InvalidOperationException();
        });
        _client = Client(_server, _time);
        _informer = new Informer<V1Pod>(_client, null, _time, null, new Random(1));
        _informer.AddHandler(e => _events.Enqueue($"{e.Change} {e.Object.Metadata.Name}@{e.Object.Metadata.ResourceVersion}"));
    }

    public void Dispose()
    {
        _stop.Cancel();
        _client.Dispose();
        _server.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task It_lists_then_watches_from_the_lists_version()
    {
        var feed = new WatchFeed();
        _lists.Enqueue(List("10", Pod("a", "3"), Pod("b", "4")));
        _watches.Enqueue(() => Stream(feed));
        Start();
        await feed.SendAsync("ADDED", Pod("c", "11"));
        await feed.SendAsync("MODIFIED", Pod("a", "12"));
        await feed.SendAsync("DELETED", Pod("b", "13"));
        await SeeAsync("Added a@3", "Added b@4", "Added c@11", "Updated a@12", "Deleted b@13");
        Assert.True(_informer.HasSynced);
        Assert.Equal(["a", "c"], _informer.List("ns").Select(p => p.Metadata.Name).Order());
        Assert.Null(_informer.Find("a", "ns")!.Metadata.ManagedFields);
        var watch = Assert.Single(Watches());
        Assert.Equal(("10", "true"), (watch.Parameter("resourceVersion"), watch.Parameter("allowWatchBookmarks")));
        Assert.InRange(int.Parse(watch.Parameter("timeoutSeconds")!, System.Globalization.CultureInfo.InvariantCulture), 300, 600);
    }

    [Fact]
    public async Task A_watch_that_ends_or_breaks_resumes_from_the_last_version_seen()
    {
        var (first, second, third) = (new WatchFeed(), new WatchFeed(), new WatchFeed());
        _lists.Enqueue(List("10"));
        foreach (var feed in new[] { first, second, third })
            _watches.Enqueue(() => Stream(feed));
        Start();
        await first.SendAsync("ADDED", Pod("a", "11"));
        await first.SendAsync("BOOKMARK", new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = "20" } });
        first.Close();
        await Eventually.HoldsAsync(() => Watches().Count() == 2, _time);
        await second.SendAsync("MODIFIED", Pod("a", "21"));
        await SeeAsync("Added a@11", "Updated a@21");
        await second.SendRawAsync("{\"type\":\"ADDED\",\"obj");
        second.Break();
        await Eventually.HoldsAsync(() => Watches().Count() == 3, _time);
        Assert.Equal(["10", "20", "21"], Watches().Select(w => w.Parameter("resourceVersion")));
        Assert.Single(_server.Requests, r => !r.IsWatch);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_410_it_lists_again_and_tells_what_vanished_meanwhile(bool asEvent)
    {
        var feed = new WatchFeed();
        _lists.Enqueue(List("10", Pod("kept", "3"), Pod("gone", "4"), Pod("changed", "5"), Pod("remade", "6", "old")));
        _watches.Enqueue(() => asEvent ? Stream(feed) : Status(HttpStatusCode.Gone, "Expired", "too old resource version"));
        _lists.Enqueue(List("30", Pod("kept", "3"), Pod("changed", "25"), Pod("new", "26"), Pod("remade", "27", "new")));
        Start();
        if (asEvent)
            await feed.SendAsync("ERROR", StatusObject(HttpStatusCode.Gone, "Expired", "too old resource version"));
        await SeeAsync(
            "Added kept@3", "Added gone@4", "Added changed@5", "Added remade@6",
            "Updated changed@25", "Added new@26", "Deleted remade@6", "Added remade@27", "Deleted gone@4");
        Assert.Equal(4, _informer.Count);
        await Eventually.HoldsAsync(() => Watches().Count() == 2, _time);
        Assert.Equal("30", Watches().Last().Parameter("resourceVersion"));
    }

    [Fact]
    public async Task Trouble_is_waited_out_with_growing_pauses_and_without_a_busy_loop()
    {
        for (var i = 0; i < 4; i++)
            _lists.Enqueue(Status(HttpStatusCode.Forbidden, "Forbidden"));
        _lists.Enqueue(List("10", Pod("a", "1")));
        Start();
        await Eventually.HoldsAsync(() => _server.Requests.Count == 1);
        await SeeAsync("Added a@1");
        // 0.8 + 1.6 + 3.2 + 6.4 s, each cut by up to a half.
        Assert.InRange((_time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds, 6, 20);
    }

    [Fact]
    public async Task A_silent_connection_is_given_up_after_the_watchs_timeout()
    {
        _lists.Enqueue(List("10"));
        _watches.Enqueue(() => Stream(new WatchFeed()));
        Start();
        await Eventually.HoldsAsync(() => Watches().Any());
        await Eventually.HoldsAsync(() => Watches().Count() == 2, _time, TimeSpan.FromSeconds(5));
        Assert.InRange((_time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds, 330, 700);
    }

    [Fact]
    public async Task Own_writes_show_at_once_and_until_the_watch_catches_up()
    {
        var feed = new WatchFeed();
        _lists.Enqueue(List("10", Pod("a", "5")));
        _watches.Enqueue(() => Stream(feed));
        Start();
        await SeeAsync("Added a@5");
        _informer.RecordWrite(Typed("a", "13"));
        _informer.RecordWrite(Typed("made", "14"));
        Assert.Equal(("13", "14"), (VersionOf("a"), VersionOf("made")));
        // Someone else's earlier write does not hide ours, yet it is told.
        await feed.SendAsync("MODIFIED", Pod("a", "12"));
        await SeeAsync("Added a@5", "Updated a@12");
        Assert.Equal("13", VersionOf("a"));
        await feed.SendAsync("MODIFIED", Pod("a", "13"));
        await feed.SendAsync("ADDED", Pod("made", "14"));
        await feed.SendAsync("MODIFIED", Pod("a", "15"));
        await feed.SendAsync("DELETED", Pod("made", "16"));
        await SeeAsync("Added a@5", "Updated a@12", "Updated a@13", "Added made@14", "Updated a@15", "Deleted made@16");
        Assert.Equal(("15", null), (VersionOf("a"), VersionOf("made")));
        // An answer that arrives after the watch has passed it brings nothing back.
        _informer.RecordWrite(Typed("made", "14"));
        Assert.Null(VersionOf("made"));
    }

    [Fact]
    public async Task An_object_that_cannot_be_read_is_neither_lost_nor_taken_for_deleted()
    {
        JsonObject Bad(string name, string version)
        {
            var bad = Pod(name, version);
            bad["metadata"]!["creationTimestamp"] = "yesterday";
            return bad;
        }

        var feed = new WatchFeed();
        _lists.Enqueue(List("10", Pod("a", "5"), Bad("never", "6")));
        _watches.Enqueue(() => Stream(feed));
        _lists.Enqueue(List("30", Bad("a", "20"), Pod("b", "21")));
        _watches.Enqueue(() => Stream(feed));
        Start();
        await feed.SendAsync("ERROR", StatusObject(HttpStatusCode.Gone, "Expired", "too old"));
        await SeeAsync("Added a@5", "Added b@21");
        Assert.Equal(["a", "b"], _informer.List().Select(p => p.Metadata.Name).Order());
    }

    [Fact]
    public async Task The_end_of_an_object_that_cannot_be_read_is_told()
    {
        var feed = new WatchFeed();
        _lists.Enqueue(List("10", Pod("a", "5")));
        _watches.Enqueue(() => Stream(feed));
        Start();
        var bad = Pod("a", "12");
        bad["metadata"]!["creationTimestamp"] = "yesterday";
        await feed.SendAsync("MODIFIED", bad);
        bad["metadata"]!["resourceVersion"] = "13";
        await feed.SendAsync("DELETED", bad);
        await SeeAsync("Added a@5", "Deleted a@5");
    }

    [Fact]
    public async Task Objects_are_found_by_owner_and_by_own_indexes()
    {
        _informer.AddIndex("node", p => p.Spec?.NodeName is { } node ? [node] : []);
        var owned = Pod("a", "5");
        owned["metadata"]!["ownerReferences"] = JsonNode.Parse("""[{"apiVersion":"batch/v1","kind":"Job","name":"j","uid":"owner-1","controller":true}]""");
        owned["spec"] = new JsonObject { ["nodeName"] = "n1" };
        var feed = new WatchFeed();
        _lists.Enqueue(List("10", owned, Pod("b", "6")));
        _watches.Enqueue(() => Stream(feed));
        Start();
        await SeeAsync("Added a@5", "Added b@6");
        Assert.Equal("a", Assert.Single(_informer.OwnedBy("owner-1")).Metadata.Name);
        Assert.Equal("a", Assert.Single(_informer.ByIndex("node", "n1")).Metadata.Name);
        Assert.Equal([new ObjectKey("ns", "j")], Owners.Of(_informer.Find("a", "ns")!, ResourceKind.Of<V1Job>()));
        owned["spec"]!["nodeName"] = "n2";
        owned["metadata"]!["resourceVersion"] = "11";
        await feed.SendAsync("MODIFIED", owned);
        await SeeAsync("Added a@5", "Added b@6", "Updated a@11");
        Assert.Empty(_informer.ByIndex("node", "n1"));
        Assert.Single(_informer.ByIndex("node", "n2"));
    }

    [Fact]
    public async Task A_late_handler_hears_of_everything_that_is_there()
    {
        _lists.Enqueue(List("10", Pod("a", "5"), Pod("b", "6")));
        Start();
        await SeeAsync("Added a@5", "Added b@6");
        var late = new List<string>();
        _informer.AddHandler(e => late.Add($"{e.Change} {e.Object.Metadata.Name}"));
        Assert.Equal(["Added a", "Added b"], late.Order());
    }

    private static V1Pod Typed(string name, string version) => ObjectJson.Read<V1Pod>(
        System.Text.Encoding.UTF8.GetBytes(Pod(name, version).ToJsonString()));

    private void Start() => _running = _running.IsCompleted ? Task.Run(() => _informer.RunAsync(_stop.Token)) : _running;

    private string? VersionOf(string name) => _informer.Find(name, "ns")?.Metadata.ResourceVersion;

    private IEnumerable<ScriptedRequest> Watches() => _server.Requests.Where(r => r.IsWatch);

    private async Task SeeAsync(params string[] events)
    {
        await Eventually.HoldsAsync(() => _events.Count >= events.Length, _time, because: $"Saw only: {string.Join(", ", _events)}");
        Assert.Equal(events, _events);
    }
}
