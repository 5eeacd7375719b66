using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Prometheus;

namespace Graft.Runtime.Tests;

/// <summary>The whole loop: informers, queue, controller, finalizers.</summary>
public sealed class ControllerTests : IDisposable
{
    private const string Cakes = "/apis/test.graft.dev/v1alpha1/namespaces/ns/cakes";
    private const string Maps = "/api/v1/namespaces/ns/configmaps/";
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private readonly CollectorRegistry _registry = Metrics.NewCustomRegistry();
    private readonly MemoryApi _api;
    private readonly InformerSet _informers;
    private readonly Baker _baker = new();
    private readonly CancellationTokenSource _stop = new();
    private Controller<Cake>? _controller;

    public ControllerTests()
    {
        _api = new MemoryApi(_time);
        _informers = new InformerSet(_api.Client, _time, NullLoggerFactory.Instance);
    }

    public void Dispose()
    {
        _stop.Cancel();
        _controller?.Dispose();
        _api.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task Changes_of_spec_lead_to_a_reconcile_and_changes_of_status_do_not()
    {
        _api.Put($"{Cakes}/a", ACake("a"));
        Start();
        await SeenAsync("a@1");
        var changed = _api.Find($"{Cakes}/a")!;
        changed["status"] = new JsonObject { ["phase"] = "Baking" };
        _api.Put($"{Cakes}/a", changed);
        changed["spec"]!["series"] = "s";
        _api.Put($"{Cakes}/a", changed);
        await SeenAsync("a@1", "a@2");
    }

    [Fact]
    public async Task A_change_of_an_owned_object_leads_to_its_owner()
    {
        _api.Put($"{Cakes}/a", ACake("a"));
        Start(controller => controller.Owns<V1Pod>());
        await SeenAsync("a@1");
        var pod = ScriptedServer.Pod("p", "0");
        pod["metadata"]!["ownerReferences"] = JsonNode.Parse("""[{"apiVersion":"test.graft.dev/v1alpha1","kind":"Cake","name":"a","uid":"u","controller":true}]""");
        _api.Put("/api/v1/namespaces/ns/pods/p", pod);
        _api.Put("/api/v1/namespaces/ns/pods/stranger", ScriptedServer.Pod("stranger", "0"));
        await SeenAsync("a@1", "a@1");
        _api.Remove("/api/v1/namespaces/ns/pods/p");
        await SeenAsync("a@1", "a@1", "a@1");
    }

    [Fact]
    public async Task A_watched_object_leads_where_its_map_says()
    {
        _api.Put($"{Cakes}/a", ACake("a"));
        Start(controller => controller.Watches<V1ConfigMap>(map => [new ObjectKey("ns", map.Metadata.Labels["for"])]));
        await SeenAsync("a@1");
        _api.Put(Maps + "m", For("m", "a"));
        await SeenAsync("a@1", "a@1");
    }

    [Fact]
    public async Task One_event_leads_to_an_object_once_though_old_and_new_state_both_lead_there()
    {
        _api.Put($"{Cakes}/a", ACake("a"));
        _api.Put($"{Cakes}/b", ACake("b"));
        var calls = 0;
        Start(controller => controller.Watches<V1ConfigMap>(Map));
        await SeenAsync("a@1", "b@1");
        _api.Put(Maps + "m", For("m", "a"));
        await SeenAsync("a@1", "b@1", "a@1");
        _api.Remove(Maps + "m");
        // Of the same informer, so it comes after all that the removal leads to.
        _api.Put(Maps + "n", For("n", "b"));
        await SeenAsync("a@1", "b@1", "a@1", "a@1", "b@1");

        IEnumerable<ObjectKey> Map(V1ConfigMap map)
        {
            // The third call is for the old state of what was removed. By then a worker has taken the key that the new state led to:
            // were it added again, it would be worked on again.
            if (++calls == 3)
                SpinWait.SpinUntil(() => _baker.Seen.Count == 4, TimeSpan.FromSeconds(30));
            yield return new ObjectKey("ns", map.Metadata.Labels["for"]);
        }
    }

    [Fact]
    public async Task A_failure_is_tried_again_with_back_off_until_it_succeeds()
    {
        var tries = 0;
        _baker.OnReconcile = cake => ++tries switch
        {
            1 => throw new InvalidOperationException("oven off"),
            < 5 => ReconciliationResult<Cake>.Failure(cake, "not yet"),
            _ => ReconciliationResult<Cake>.Success(cake),
        };
        _api.Put($"{Cakes}/a", ACake("a"));
        Start();
        await SeenAsync("a@1", "a@1", "a@1", "a@1", "a@1");
        await Eventually.HoldsAsync(() => Metric("controller_runtime_reconcile_total{controller=\"cake\",result=\"success\"} 1").Result);
        Assert.True(await Metric("controller_runtime_reconcile_total{controller=\"cake\",result=\"error\"} 4"));
        Assert.True(await Metric("controller_runtime_reconcile_errors_total{controller=\"cake\"} 4"));
        Assert.True(await Metric("workqueue_retries_total{name=\"cake\",controller=\"cake\"} 4"));
        Assert.True(await Metric("workqueue_depth{name=\"cake\",controller=\"cake\",priority=\"0\"} 0"));
    }

    [Fact]
    public async Task A_terminal_failure_waits_for_the_next_change()
    {
        _baker.OnReconcile = _ => throw new TerminalException("never");
        _api.Put($"{Cakes}/a", ACake("a"));
        Start();
        await SeenAsync("a@1");
        await Eventually.HoldsAsync(() => Metric("controller_runtime_terminal_reconcile_errors_total{controller=\"cake\"} 1").Result);
        _time.Advance(TimeSpan.FromHours(1));
        await SeenAsync("a@1");
    }

    [Fact]
    public async Task A_success_may_ask_to_look_again()
    {
        _baker.OnReconcile = cake => ReconciliationResult<Cake>.Success(cake, TimeSpan.FromMinutes(10));
        _api.Put($"{Cakes}/a", ACake("a"));
        Start();
        await SeenAsync("a@1");
        await Eventually.HoldsAsync(() => Metric("controller_runtime_reconcile_total{controller=\"cake\",result=\"requeue_after\"} 1").Result);
        var before = _time.GetUtcNow();
        await Eventually.HoldsAsync(() => _baker.Seen.Count == 2, _time, TimeSpan.FromSeconds(10));
        Assert.InRange((_time.GetUtcNow() - before).TotalSeconds, 580, 700);
    }

    [Fact]
    public async Task Every_object_is_looked_at_again_after_the_resync_period()
    {
        _api.Put($"{Cakes}/a", ACake("a"));
        Start();
        await SeenAsync("a@1");
        var before = _time.GetUtcNow();
        await Eventually.HoldsAsync(() => _baker.Seen.Count == 2, _time, TimeSpan.FromMinutes(5));
        Assert.InRange((_time.GetUtcNow() - before).TotalHours, 8.9, 11.5);
    }

    [Fact]
    public async Task A_deleted_object_is_told_with_its_last_state_and_retried()
    {
        var tries = 0;
        _baker.OnDeleted = cake => ++tries == 1 ? ReconciliationResult<Cake>.Failure(cake, "busy") : ReconciliationResult<Cake>.Success(cake);
        _api.Put($"{Cakes}/a", ACake("a"));
        Start();
        await SeenAsync("a@1");
        _api.Remove($"{Cakes}/a");
        await SeenAsync("a@1", "a deleted", "a deleted");
    }

    [Fact]
    public async Task A_finalizer_is_set_before_the_first_reconcile_and_released_after_it_ran()
    {
        _baker.OnFinalize = cake => ReconciliationResult<Cake>.Success(cake);
        _api.Put($"{Cakes}/a", ACake("a"));
        Start(finalizers: new Dictionary<string, IEntityFinalizer<Cake>> { ["test.graft.dev/oven"] = _baker });
        await SeenAsync("a@1");
        Assert.Equal(["test.graft.dev/oven"], _api.Find($"{Cakes}/a")!["metadata"]!["finalizers"]!.AsArray().Select(f => (string?)f));

        var deleting = _api.Find($"{Cakes}/a")!;
        deleting["metadata"]!["deletionTimestamp"] = "2020-01-01T00:00:00Z";
        // Somebody else's, in front: it must not keep ours from running.
        deleting["metadata"]!["finalizers"] = new JsonArray("example.com/other", "test.graft.dev/oven");
        _api.Put($"{Cakes}/a", deleting);
        await SeenAsync("a@1", "a finalized");
        await Eventually.HoldsAsync(() => _api.Find($"{Cakes}/a")!["metadata"]!["finalizers"]!.AsArray().Count == 1, _time);

        deleting = _api.Find($"{Cakes}/a")!;
        _api.Remove($"{Cakes}/a");
        await SeenAsync("a@1", "a finalized", "a deleted");
    }

    [Fact]
    public async Task A_conflict_is_no_error_to_report_but_is_tried_again()
    {
        var tries = 0;
        _baker.OnReconcile = cake => ++tries == 1
            ? throw new ApiException(HttpStatusCode.Conflict, new ApiStatus(409, "Conflict", "changed", null, null, [], null), "PATCH x")
            : ReconciliationResult<Cake>.Success(cake);
        _api.Put($"{Cakes}/a", ACake("a"));
        Start();
        await SeenAsync("a@1", "a@1");
    }

    private static JsonObject ACake(string name) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "ns" }, ["spec"] = new JsonObject { ["flavour"] = "Sweet" },
    };

    private static JsonObject For(string name, string cake) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "ns", ["labels"] = new JsonObject { ["for"] = cake } },
    };

    private void Start(Action<Controller<Cake>>? sources = null, IReadOnlyDictionary<string, IEntityFinalizer<Cake>>? finalizers = null)
    {
        _controller = new Controller<Cake>(_informers, _baker, null, _time, null, new ControllerMetrics(_registry), finalizers);
        sources?.Invoke(_controller);
        _ = Task.Run(() => _informers.RunAsync(_stop.Token));
        _ = Task.Run(() => _controller.RunAsync(_stop.Token));
    }

    private async Task SeenAsync(params string[] expected)
    {
        await Eventually.HoldsAsync(() => _baker.Seen.Count >= expected.Length, _time, because: $"Saw only: {string.Join(", ", _baker.Seen)}");
        Assert.Equal(expected, _baker.Seen);
    }

    private async Task<bool> Metric(string line)
    {
        using var text = new MemoryStream();
        await _registry.CollectAndExportAsTextAsync(text);
        return System.Text.Encoding.UTF8.GetString(text.ToArray()).Split('\n').Contains(line);
    }

    private sealed class Baker : IEntityController<Cake>, IEntityFinalizer<Cake>
    {
        public ConcurrentQueue<string> Seen { get; } = new();

        public Func<Cake, ReconciliationResult<Cake>> OnReconcile { get; set; } = c => ReconciliationResult<Cake>.Success(c);

        public Func<Cake, ReconciliationResult<Cake>> OnDeleted { get; set; } = c => ReconciliationResult<Cake>.Success(c);

        public Func<Cake, ReconciliationResult<Cake>> OnFinalize { get; set; } = c => ReconciliationResult<Cake>.Success(c);

        public Task<ReconciliationResult<Cake>> ReconcileAsync(Cake entity, CancellationToken cancellationToken) =>
            Tell($"{entity.Metadata.Name}@{entity.Metadata.Generation}", OnReconcile, entity);

        public Task<ReconciliationResult<Cake>> DeletedAsync(Cake entity, CancellationToken cancellationToken) =>
            Tell($"{entity.Metadata.Name} deleted", OnDeleted, entity);

        public Task<ReconciliationResult<Cake>> FinalizeAsync(Cake entity, CancellationToken cancellationToken) =>
            Tell($"{entity.Metadata.Name} finalized", OnFinalize, entity);

        private Task<ReconciliationResult<Cake>> Tell(string what, Func<Cake, ReconciliationResult<Cake>> answer, Cake entity)
        {
            Seen.Enqueue(what);
            return Task.FromResult(answer(entity));
        }
    }
}
