using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using static Graft.Runtime.Tests.ScriptedServer;

namespace Graft.Runtime.Tests;

public sealed class LeaderElectorTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private readonly Lock _gate = new();
    private readonly ScriptedServer _server;
    private readonly ApiClient _client;
    private readonly CancellationTokenSource _stop = new();
    private JsonObject? _lease;
    private int _version;
    private int _failWrites;
    private bool _down;

    public LeaderElectorTests()
    {
        _server = new ScriptedServer((r, _) => Task.FromResult(Answer(r)));
        _client = new ApiClient(
            new k8s.KubernetesClientConfiguration { Host = "http://localhost:1" },
            new ApiClientOptions { TimeProvider = _time, MaxRetries = 0, Timeout = TimeSpan.FromDays(10) }, _server);
    }

    public void Dispose()
    {
        _stop.Cancel();
        _client.Dispose();
        _server.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task The_first_process_creates_the_lease_and_releases_it_when_it_stops()
    {
        var run = Run(Elector("a"), out var leading);
        await leading.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal("a", Holder());
        Assert.Matches(@"\.\d{6}Z$", (string)_lease!["spec"]!["renewTime"]!);
        await _stop.CancelAsync();
        await Eventually.HoldsAsync(() => run.IsCompleted, _time);
        Assert.True(await run);
        Assert.Equal("", Holder());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_released_lease_is_taken_at_once(bool absent)
    {
        SetLease(absent ? null : "");
        var started = _time.GetUtcNow();
        var run = Run(Elector("b"), out var leading);
        await Eventually.HoldsAsync(() => leading.IsCompleted, _time);
        Assert.True((_time.GetUtcNow() - started).TotalSeconds < 5);
        Assert.Equal(("b", 4), (Holder(), (int)_lease!["spec"]!["leaseTransitions"]!));
        Assert.False(run.IsCompleted);
    }

    [Fact]
    public async Task Anothers_lease_is_waited_out_by_own_observation_whatever_its_times_say()
    {
        SetLease("other", renewTime: "2001-01-01T00:00:00.000000Z");
        var started = _time.GetUtcNow();
        _ = Run(Elector("b"), out var leading);
        await Eventually.HoldsAsync(() => leading.IsCompleted, _time);
        Assert.InRange((_time.GetUtcNow() - started).TotalSeconds, 15, 21);
        Assert.Equal("b", Holder());
    }

    [Fact]
    public async Task A_lease_that_is_renewed_is_never_taken()
    {
        SetLease("other");
        _ = Run(Elector("b"), out var leading);
        for (var i = 0; i < 30; i++)
        {
            SetLease("other", renewTime: $"2026-01-01T00:00:{i:00}.000000Z");
            var seen = _server.Requests.Count;
            await Eventually.HoldsAsync(() => _server.Requests.Count > seen, _time, TimeSpan.FromSeconds(1));
        }

        Assert.False(leading.IsCompleted);
        Assert.Equal("other", Holder());
    }

    [Fact]
    public async Task A_few_failed_renewals_do_not_cost_leadership()
    {
        var run = Run(Elector("a"), out var leading);
        await leading.WaitAsync(TimeSpan.FromSeconds(10));
        Interlocked.Exchange(ref _failWrites, 3);
        await Eventually.HoldsAsync(() => Volatile.Read(ref _failWrites) == 0, _time);
        var version = _version;
        await Eventually.HoldsAsync(() => _version > version + 2, _time);
        Assert.False(run.IsCompleted);
        Assert.Equal("a", Holder());
    }

    [Fact]
    public async Task Without_a_renewal_within_the_deadline_leadership_is_lost_before_the_lease_runs_out()
    {
        var elector = Elector("a");
        var run = Run(elector, out var leading);
        await leading.WaitAsync(TimeSpan.FromSeconds(10));
        _down = true;
        var since = _time.GetUtcNow();
        await Eventually.HoldsAsync(() => run.IsCompleted, _time);
        Assert.False(await run);
        Assert.False(elector.IsLeader);
        Assert.InRange((_time.GetUtcNow() - since).TotalSeconds, 7, 14);
    }

    [Fact]
    public async Task A_lease_that_another_holds_is_lost_at_once()
    {
        var run = Run(Elector("a"), out var leading);
        await leading.WaitAsync(TimeSpan.FromSeconds(10));
        SetLease("usurper");
        var since = _time.GetUtcNow();
        await Eventually.HoldsAsync(() => run.IsCompleted, _time);
        Assert.False(await run);
        Assert.True((_time.GetUtcNow() - since).TotalSeconds < 5);
        Assert.Equal("usurper", Holder());
    }

    private LeaderElector Elector(string identity) => new(
        _client, new LeaderElectionOptions { Namespace = "ns", Name = "lock", Identity = identity }, _time, null, new Random(1));

    private Task<bool> Run(LeaderElector elector, out Task leading)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        leading = started.Task;
        return Task.Run(() => elector.RunAsync(
            async ct =>
            {
                started.SetResult();
                await Task.Delay(Timeout.Infinite, ct);
            },
            _stop.Token));
    }

    private string? Holder()
    {
        lock (_gate)
            return (string?)_lease?["spec"]?["holderIdentity"];
    }

    private void SetLease(string? holder, string renewTime = "2026-01-01T00:00:00.000000Z")
    {
        lock (_gate)
        {
            var spec = new JsonObject { ["leaseDurationSeconds"] = 15, ["leaseTransitions"] = 3, ["renewTime"] = renewTime };
            if (holder is not null)
                spec["holderIdentity"] = holder;
            _lease = new JsonObject
            {
                ["apiVersion"] = "coordination.k8s.io/v1",
                ["kind"] = "Lease",
                ["metadata"] = new JsonObject { ["name"] = "lock", ["namespace"] = "ns", ["resourceVersion"] = $"{++_version}" },
                ["spec"] = spec,
            };
        }
    }

    private HttpResponseMessage Answer(ScriptedRequest r)
    {
        lock (_gate)
        {
            if (_down)
                throw new HttpRequestException("unreachable");
            if (r.Method == "GET")
                return _lease is null ? Status(HttpStatusCode.NotFound, "NotFound") : Json(_lease);
            if (_failWrites > 0)
            {
                _failWrites--;
                throw new HttpRequestException("reset");
            }

            if (r.Method == "PUT" && (string?)r.Body!["metadata"]!["resourceVersion"] != (string?)_lease!["metadata"]!["resourceVersion"])
                return Status(HttpStatusCode.Conflict, "Conflict");
            if (r.Method == "POST" && _lease is not null)
                return Status(HttpStatusCode.Conflict, "AlreadyExists");
            _lease = (JsonObject)r.Body!.DeepClone();
            _lease["metadata"]!["resourceVersion"] = $"{++_version}";
            return Json(_lease);
        }
    }
}
