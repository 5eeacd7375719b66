using System.Text.Json.Nodes;
using Graft.LocalCluster.Tests.Api;

namespace Graft.LocalCluster.Tests.Faults;

/// <summary>What a client meets under a plan, over HTTP.</summary>
public sealed class FaultInjectorTests : IAsyncLifetime
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly FaultInjector _faults;
    private readonly TestCluster _server;
    private readonly List<string> _crashed = [];

    public FaultInjectorTests()
    {
        _faults = new FaultInjector
        {
            Records = true,
            Crashing = (fired, _) =>
            {
                _crashed.Add(fired.Request.Name);
                return Task.CompletedTask;
            },
        };
        _server = new TestCluster { Faults = _faults };
    }

    public Task InitializeAsync() => _server.InitializeAsync();

    public Task DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("action: reset", false)]
    [InlineData("action: reset, afterCommit: true", true)]
    [InlineData("action: crash", true)]
    public async Task A_broken_connection_leaves_the_write_undone_or_done(string fault, bool done)
    {
        Begin("verbs: [create]", "nth: [1]", fault);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => CreateAsync("a"));
        var (code, _) = await _server.GetAsync($"{Maps}/a");
        Assert.Equal(done ? 200 : 404, code);
        Assert.Equal(done ? 409 : 201, await CreateAsync("a"));
        Assert.Equal(fault.Contains("crash", StringComparison.Ordinal) ? ["a"] : [], _crashed);
        Assert.Single(_faults.Fired);
    }

    [Fact]
    public async Task A_write_that_was_refused_crashes_nobody()
    {
        await CreateAsync("a");
        Begin("verbs: [create]", "nth: [1]", "action: crash");
        Assert.Equal(409, await CreateAsync("a"));
        Assert.Empty(_crashed);
        Assert.Empty(_faults.Fired);
    }

    [Theory]
    [InlineData(409, "Conflict", "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; " +
        "please apply your changes to the latest version and try again")]
    [InlineData(500, "InternalError", "Internal error occurred: etcdserver: request timed out")]
    [InlineData(503, "ServiceUnavailable", "etcdserver: leader changed")]
    public async Task An_error_has_the_status_of_an_api_server(int code, string reason, string message)
    {
        await CreateAsync("a");
        Begin("verbs: [patch]", "nth: [1]", $"action: status, code: {code}, retryAfter: 3");
        using var response = await _server.RawAsync(HttpMethod.Patch, $"{Maps}/a", """{"data":{"k":"v"}}""", "application/merge-patch+json");
        var status = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal((code, reason, message), ((int)response.StatusCode, (string?)status["reason"], (string?)status["message"]));
        Assert.Equal(TimeSpan.FromSeconds(3), response.Headers.RetryAfter?.Delta);
        Assert.Null((await _server.GetAsync($"{Maps}/a")).Body["data"]);
    }

    [Fact]
    public async Task Overload_is_told_in_plain_text_with_the_time_to_wait()
    {
        Begin("verbs: [get]", "nth: [1]", "action: status, code: 429");
        using var response = await _server.RawAsync(HttpMethod.Get, $"{Maps}/a");
        Assert.Equal((429, "Too many requests, please try again later.\n", TimeSpan.FromSeconds(1)),
            ((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers.RetryAfter?.Delta));
    }

    [Fact]
    public async Task An_error_after_the_commit_denies_a_write_that_was_done()
    {
        Begin("verbs: [create]", "nth: [1]", "action: status, code: 504, afterCommit: true");
        Assert.Equal(504, await CreateAsync("a"));
        Assert.Equal(200, (await _server.GetAsync($"{Maps}/a")).Code);
    }

    [Theory]
    [InlineData("action: drop", 404)]
    [InlineData("action: drop, afterCommit: true", 200)]
    public async Task A_dropped_request_is_never_answered(string fault, int then)
    {
        Begin("verbs: [create]", "nth: [1]", fault);
        using var http = _server.NewHttp(_server.Cluster.ClientConfiguration.AccessToken);
        http.Timeout = TimeSpan.FromSeconds(1);
        using var body = new StringContent("""{"metadata":{"name":"a"}}""", System.Text.Encoding.UTF8, "application/json");
        await Assert.ThrowsAsync<TaskCanceledException>(() => http.PostAsync(new Uri(Maps, UriKind.Relative), body));
        Assert.Equal(then, (await _server.GetAsync($"{Maps}/a")).Code);
    }

    [Fact]
    public async Task A_stale_read_shows_the_past_and_says_so_in_its_version()
    {
        await CreateAsync("a");
        await _server.PatchAsync($"{Maps}/a", """{"data":{"k":"v"}}""", "merge");
        Begin("resource: configmaps", "", "action: stale, versions: 1");
        Assert.Null((await _server.GetAsync($"{Maps}/a?resourceVersion=0")).Body["data"]);
        Assert.NotNull((await _server.GetAsync($"{Maps}/a")).Body["data"]);
        var old = (await _server.GetAsync($"{Maps}?resourceVersion=0&labelSelector=")).Body;
        Assert.Null(old["items"]![0]!["data"]);
        using var watch = await WatchReader.OpenAsync(_server, $"{Maps}?watch=1&resourceVersion={old["metadata"]!["resourceVersion"]}");
        Assert.Equal("v", (string?)(await watch.NextAsync())!["object"]!["data"]!["k"]);
        using var late = await WatchReader.OpenAsync(_server, $"{Maps}?watch=1&resourceVersion=0");
        Assert.Null((await late.NextAsync())!["object"]!["data"]);
        Assert.Equal("MODIFIED a", await late.NextNameAsync());
        Assert.Equal(3, _faults.Fired.Count);
    }

    [Fact]
    public async Task Withheld_events_come_later_in_their_order()
    {
        Begin("verbs: [event], name: a", "nth: [1]", "action: withhold, for: 1h, events: 2");
        using var watch = await WatchReader.OpenAsync(_server, $"{Maps}?watch=1&resourceVersion=0");
        foreach (var name in (string[])["b", "a", "c"])
            await CreateAsync(name);
        Assert.Equal("ADDED b", await watch.NextNameAsync());
        var next = watch.NextNameAsync();
        await CreateAsync("d");
        Assert.Equal(["ADDED a", "ADDED c", "ADDED d"], [await next, await watch.NextNameAsync(), await watch.NextNameAsync()]);
    }

    [Fact]
    public async Task Withheld_events_are_told_when_another_plan_begins()
    {
        Begin("verbs: [event]", "", "action: withhold, for: 1h");
        using var watch = await WatchReader.OpenAsync(_server, $"{Maps}?watch=1&resourceVersion=0");
        var next = watch.NextNameAsync();
        await CreateAsync("a");
        await UntilAsync(() => _faults.Fired.Count == 1);
        Assert.False(next.IsCompleted);
        _faults.Begin(FaultPlan.Empty);
        Assert.Equal("ADDED a", await next);
    }

    [Fact]
    public async Task Coalesced_events_tell_the_last_state_alone()
    {
        Begin("verbs: [event], name: a", "nth: [1]", "action: coalesce, for: 1h, events: 3");
        using var watch = await WatchReader.OpenAsync(_server, $"{Maps}?watch=1&resourceVersion=0");
        await CreateAsync("a");
        foreach (var value in (string[])["1", "2"])
            await _server.PatchAsync($"{Maps}/a", $$$"""{"data":{"k":"{{{value}}}"}}""", "merge");
        await CreateAsync("b");
        var told = await watch.NextAsync();
        Assert.Equal(("ADDED", "2"), ((string?)told!["type"], (string?)told["object"]!["data"]!["k"]));
        Assert.Equal("ADDED b", await watch.NextNameAsync());
    }

    [Fact]
    public async Task A_cut_watch_ends_after_so_many_events()
    {
        Begin("verbs: [watch]", "nth: [1]", "action: cut, afterEvents: 2");
        using var watch = await WatchReader.OpenAsync(_server, $"{Maps}?watch=1&resourceVersion=0");
        foreach (var name in (string[])["a", "b", "c"])
            await CreateAsync(name);
        Assert.Equal(["ADDED a", "ADDED b"], [await watch.NextNameAsync(), await watch.NextNameAsync()]);
        Assert.Null(await watch.NextAsync());
    }

    [Fact]
    public async Task A_watch_that_is_cut_in_mid_line_breaks()
    {
        Begin("verbs: [watch]", "nth: [1]", "action: cut, afterEvents: 1, midLine: true");
        using var watch = await WatchReader.OpenAsync(_server, $"{Maps}?watch=1&resourceVersion=0");
        await CreateAsync("a");
        await CreateAsync("b");
        Assert.Equal("ADDED a", await watch.NextNameAsync());
        await Assert.ThrowsAnyAsync<IOException>(watch.NextAsync);
    }

    [Fact]
    public async Task A_version_is_too_old_as_an_answer_and_as_an_event()
    {
        Begin("verbs: [watch]", "nth: [1]", "action: expire");
        Assert.Equal(410, (await _server.GetAsync($"{Maps}?watch=1&resourceVersion=0")).Code);
        Begin("verbs: [watch]", "nth: [1]", "action: expire, afterEvents: 1");
        await CreateAsync("a");
        using var watch = await WatchReader.OpenAsync(_server, $"{Maps}?watch=1&resourceVersion=0");
        Assert.Equal("ADDED a", await watch.NextNameAsync());
        var error = await watch.NextAsync();
        Assert.Equal(("ERROR", 410, "Expired"),
            ((string?)error!["type"], (int?)error["object"]!["code"], (string?)error["object"]!["reason"]));
        Assert.Null(await watch.NextAsync());
    }

    [Fact]
    public async Task The_clock_jumps_for_the_cluster()
    {
        var before = DateTimeOffset.UtcNow;
        Begin("verbs: [create]", "nth: [1]", "action: jump, by: 48h");
        var (_, created) = await _server.PostAsync(Maps, """{"metadata":{"name":"a"}}""");
        Assert.InRange(created["metadata"]!["creationTimestamp"]!.GetValue<DateTimeOffset>() - before, TimeSpan.FromHours(47), TimeSpan.FromHours(49));
        Assert.InRange(_faults.Time!.GetUtcNow() - before, TimeSpan.FromHours(47), TimeSpan.FromHours(49));
    }

    [Fact]
    public async Task What_happened_happens_again_from_the_printed_plan()
    {
        Begin("verbs: [create, get]", "probability: 0.5", "action: status, code: 503", seed: 11);
        var first = await WorkAsync();
        var printed = _faults.Replay().Print();
        Assert.Contains(503, first);
        foreach (var name in Names)
            await _server.DeleteAsync($"{Maps}/{name}");
        _faults.Begin(FaultPlan.Parse(printed));
        Assert.Equal(first, await WorkAsync());
        Assert.Equal(printed, _faults.Replay().Print());
    }

    [Fact]
    public async Task A_sweep_has_plans_for_every_recorded_write_read_and_event()
    {
        _faults.Begin(FaultPlan.Empty);
        using var watch = await WatchReader.OpenAsync(_server, $"{Maps}?watch=1&resourceVersion=0");
        await CreateAsync("a");
        await watch.NextAsync();
        await _server.GetAsync($"{Maps}/a");
        Assert.Equal(["watch", "create", "event", "get"], _faults.Recorded.Select(r => r.Request.Verb).Order(Comparer<string>.Create(Rank)));
        var plans = FaultSweep.Of(_faults.Recorded).Select(plan => plan.Rules[0]).ToList();
        Assert.Contains(plans, rule => rule is { Fault: Fault.Crash, Match: { Name: "a", Verbs: ["create"] }, When.Nth: [1] });
        Assert.Contains(plans, rule => rule is { Fault: Fault.Withhold, Match: { Name: "a", Verbs: ["event"] } });
        Assert.All(FaultSweep.Of(_faults.Recorded), plan => FaultPlan.Parse(plan.Print()));
    }

    private static readonly string[] Names = ["a", "b", "c", "d", "e", "f"];

    private static int Rank(string left, string right) => Order(left) - Order(right);

    private static int Order(string verb) => Array.IndexOf(["watch", "create", "event", "get"], verb);

    private async Task<List<int>> WorkAsync()
    {
        var codes = await Task.WhenAll(Names.Select(async name => (int[])[await CreateAsync(name), (await _server.GetAsync($"{Maps}/{name}")).Code]));
        return [.. codes.SelectMany(pair => pair)];
    }

    private async Task<int> CreateAsync(string name) => (await _server.PostAsync(Maps, $$$"""{"metadata":{"name":"{{{name}}}"}}""")).Code;

    private void Begin(string match, string when, string fault, int seed = 0) => _faults.Begin(FaultPlan.Parse(
        $"{{seed: {seed}, rules: [{{name: test, match: {{{match}}}, when: {{{when}}}, fault: {{{fault}}}}}]}}"));

    private static async Task UntilAsync(Func<bool> condition)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, "it did not happen");
            await Task.Delay(10);
        }
    }
}
