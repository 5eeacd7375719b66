using System.Net;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Graft.Runtime.Tests;

public sealed class ApplierTests : IAsyncLifetime
{
    private const string Cakes = "/apis/test.graft.dev/v1alpha1/namespaces/ns/cakes";
    private const string Maps = "/api/v1/namespaces/ns/configmaps";
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private readonly CancellationTokenSource _stop = new();
    private readonly MemoryApi _api;
    private readonly InformerSet _informers;
    private readonly EventRecorder _events;
    private readonly Applier _applier;

    public ApplierTests()
    {
        _api = new MemoryApi(_time);
        _informers = new InformerSet(_api.Client, _time, NullLoggerFactory.Instance);
        _events = new EventRecorder(_api.Client, "tester", _time);
        _applier = new Applier(_informers, _events);
    }

    public async Task InitializeAsync()
    {
        _api.Put($"{Cakes}/a", new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "a", ["namespace"] = "ns", ["uid"] = "owner" },
            ["spec"] = new JsonObject { ["flavour"] = "Sweet" },
        });
        _informers.Get<Cake>();
        _informers.Get<V1ConfigMap>();
        _ = Task.Run(() => _informers.RunAsync(_stop.Token));
        await _informers.WaitForSyncAsync(_stop.Token).WaitAsync(TimeSpan.FromSeconds(10));
    }

    public async Task DisposeAsync()
    {
        await _events.DisposeAsync();
        await _stop.CancelAsync();
        _api.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task A_plan_is_carried_out_in_order_and_the_second_time_nothing_is_written()
    {
        var plan = new Plan<CakeStatus>
        {
            Apply = [Map("m", "v")],
            Status = new CakeStatus { Phase = "Baking" },
            Events = [new PlannedEvent("Started", "It began.")],
            RequeueAfter = TimeSpan.FromMinutes(1),
        };
        var result = await _applier.ExecuteAsync(TheCake(), plan, default);
        await _events.FlushAsync();
        Assert.Equal((true, TimeSpan.FromMinutes(1)), (result.IsSuccess, result.RequeueAfter));
        Assert.Equal(["PATCH configmaps/m", "PATCH cakes/a/status", "POST events"], _api.Writes.Select(w => w.Split('.')[0]));
        var map = _api.Find($"{Maps}/m")!;
        Assert.Equal("owner", (string?)map["metadata"]!["ownerReferences"]![0]!["uid"]);
        Assert.True((bool)map["metadata"]!["ownerReferences"]![0]!["controller"]!);

        var writes = _api.Writes.Count();
        await _applier.ExecuteAsync(TheCake(), plan with { Events = [] }, default);
        Assert.Equal(writes, _api.Writes.Count());
    }

    [Fact]
    public async Task An_object_is_applied_again_when_it_should_be_different_or_was_changed()
    {
        Assert.True(await _applier.ApplyAsync(TheCake(), Map("m", "v"), default));
        Assert.False(await _applier.ApplyAsync(TheCake(), Map("m", "v"), default));
        Assert.True(await _applier.ApplyAsync(TheCake(), Map("m", "w"), default));

        // No longer wanted at all: only the digest can notice.
        var without = Map("m", "w");
        without.Data = null;
        Assert.True(await _applier.ApplyAsync(TheCake(), without, default));

        Assert.True(await _applier.ApplyAsync(TheCake(), Map("m", "v"), default));
        var drifted = _api.Find($"{Maps}/m")!;
        drifted["data"]!["key"] = "by hand";
        _api.Put($"{Maps}/m", drifted);
        await Eventually.HoldsAsync(() => _informers.Get<V1ConfigMap>().Find("m", "ns")!.Data["key"] == "by hand");
        Assert.True(await _applier.ApplyAsync(TheCake(), Map("m", "v"), default));

        var extended = _api.Find($"{Maps}/m")!;
        extended["data"]!["more"] = "somebody else's";
        _api.Put($"{Maps}/m", extended);
        await Eventually.HoldsAsync(() => _informers.Get<V1ConfigMap>().Find("m", "ns")!.Data.ContainsKey("more"));
        Assert.False(await _applier.ApplyAsync(TheCake(), Map("m", "v"), default));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("somebody")]
    public async Task An_object_of_somebody_else_is_never_taken_over(string? owner)
    {
        var foreign = new JsonObject { ["metadata"] = new JsonObject { ["name"] = "m", ["namespace"] = "ns" }, ["data"] = new JsonObject { ["key"] = "precious" } };
        if (owner is not null)
            foreign["metadata"]!["ownerReferences"] = new JsonArray(new JsonObject { ["uid"] = owner, ["kind"] = "Cake", ["controller"] = true });
        _api.Put($"{Maps}/m", foreign);
        await Eventually.HoldsAsync(() => _informers.Get<V1ConfigMap>().Find("m", "ns") is not null);
        var result = await _applier.ExecuteAsync(
            TheCake(), new Plan<CakeStatus> { Apply = [Map("m", "v")], StatusWhenRefused = e => new CakeStatus { Phase = e.Status.Message } }, default);
        Assert.False(result.IsSuccess);
        Assert.Equal("precious", (string?)_api.Find($"{Maps}/m")!["data"]!["key"]);
        Assert.Equal("ConfigMap ns/m exists and was not made for this object; delete it or choose another name.", (string?)_api.Find($"{Cakes}/a")!["status"]!["phase"]);
    }

    [Fact]
    public async Task A_cache_that_selects_is_not_taken_for_everything()
    {
        _api.Put("/api/v1/namespaces/ns/services/s", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "s", ["namespace"] = "ns" } });
        var ours = _informers.Get<V1Service>(new InformerOptions { LabelSelector = "by=us" });
        await ours.WaitForSyncAsync(_stop.Token).WaitAsync(TimeSpan.FromSeconds(10));
        V1Service Service(string name) => new()
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "ns", Labels = new Dictionary<string, string> { ["by"] = "us" } },
        };
        Assert.True((await Assert.ThrowsAsync<ApiException>(() => _applier.ApplyAsync(TheCake(), Service("s"), default))).IsAlreadyExists);
        Assert.True(await _applier.ApplyAsync(TheCake(), Service("t"), default));
        Assert.NotNull(ours.Find("t", "ns"));
    }

    [Fact]
    public async Task A_refusal_reaches_status_and_events_and_is_tried_again()
    {
        _api.Intercept = r => r.Path == $"{Maps}/m" && r.Method == "PATCH"
            ? ScriptedServer.Status(HttpStatusCode.Forbidden, "Forbidden", "exceeded quota")
            : null;
        var plan = new Plan<CakeStatus>
        {
            Apply = [Map("m", "v")],
            Status = new CakeStatus { Phase = "Baking" },
            StatusWhenRefused = e => new CakeStatus { Phase = $"Refused: {e.Status.Message}" },
        };
        var result = await _applier.ExecuteAsync(TheCake(), plan, default);
        await _events.FlushAsync();
        Assert.Equal((false, null), (result.IsSuccess, result.RequeueAfter));
        Assert.Equal("Refused: exceeded quota", (string?)_api.Find($"{Cakes}/a")!["status"]!["phase"]);
        Assert.Contains(_api.Server.Requests, r => r.Method == "POST" && (string?)r.Body!["reason"] == "ApplyRefused" && (string?)r.Body["type"] == "Warning");
    }

    [Fact]
    public async Task What_is_unwanted_is_deleted_by_its_uid_and_may_be_gone_already()
    {
        _api.Put($"{Maps}/m", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "m", ["namespace"] = "ns", ["uid"] = "u1" } });
        var unwanted = new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "m", NamespaceProperty = "ns", Uid = "u1" } };
        await _applier.ExecuteAsync(TheCake(), new Plan<CakeStatus> { Delete = [unwanted] }, default);
        Assert.Null(_api.Find($"{Maps}/m"));
        Assert.Equal("u1", (string?)_api.Server.Requests.Last().Body!["preconditions"]!["uid"]);
        Assert.True((await _applier.ExecuteAsync(TheCake(), new Plan<CakeStatus> { Delete = [unwanted] }, default)).IsSuccess);
    }

    [Fact]
    public async Task A_status_write_removes_what_is_no_longer_said_and_fails_on_a_stale_object()
    {
        var cake = await _applier.WriteStatusAsync(TheCake(), new CakeStatus { Phase = "Baking", Selector = "x" }, default);
        var fresh = await _applier.WriteStatusAsync(cake, new CakeStatus { Phase = "Done" }, default);
        Assert.Equal(("Done", null), (fresh.Status!.Phase, fresh.Status.Selector));
        var error = await Assert.ThrowsAsync<ApiException>(() => _applier.WriteStatusAsync(cake, new CakeStatus { Phase = "Old" }, default));
        Assert.True(error.IsConflict);
        Assert.Equal("Done", _informers.Get<Cake>().Find("a", "ns")!.Status!.Phase);
    }

    private Cake TheCake() => ObjectJson.Clone(_informers.Get<Cake>().Find("a", "ns")!);

    private static V1ConfigMap Map(string name, string value) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "ns" }, Data = new Dictionary<string, string> { ["key"] = value },
    };
}
