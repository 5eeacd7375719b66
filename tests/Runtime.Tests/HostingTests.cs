using System.Net;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Prometheus;

namespace Graft.Runtime.Tests;

/// <summary>The operator as a program assembles it.</summary>
public sealed class HostingTests : IAsyncLifetime
{
    private const string Cakes = "/apis/test.graft.dev/v1alpha1/namespaces/ns/cakes";
    private const string Lease = "/apis/coordination.k8s.io/v1/namespaces/ns/leases/bakery";
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private readonly MemoryApi _api;
    private IHost? _host;

    public HostingTests() => _api = new MemoryApi(_time);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_host is not null)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await _host.StopAsync(limit.Token);
            _host.Dispose();
        }

        _api.Dispose();
    }

    [Fact]
    public async Task A_registered_controller_works_once_its_process_leads_and_releases_the_lease_at_the_end()
    {
        PutCake();
        await StartAsync(LeaderElectionType.Single);
        await Eventually.HoldsAsync(() => _api.Find($"{Cakes}/a")?["status"] is not null, _time);
        Assert.Equal("Baked by me", (string?)_api.Find($"{Cakes}/a")!["status"]!["phase"]);
        Assert.Equal("me", (string?)_api.Find(Lease)!["spec"]!["holderIdentity"]);
        Assert.Equal(["test.graft.dev/oven"], _api.Find($"{Cakes}/a")!["metadata"]!["finalizers"]!.AsArray().Select(f => (string?)f));
        var stopping = _host!.StopAsync();
        await Eventually.HoldsAsync(() => stopping.IsCompleted, _time);
        Assert.Equal("", (string?)_api.Find(Lease)!["spec"]!["holderIdentity"]);
    }

    [Fact]
    public async Task A_process_that_does_not_lead_fills_its_caches_and_does_nothing()
    {
        PutCake();
        _api.Put(Lease, JsonNode.Parse("""{"metadata":{"name":"bakery","namespace":"ns"},"spec":{"holderIdentity":"other","leaseDurationSeconds":15}}""")!.AsObject());
        await StartAsync(LeaderElectionType.Single);
        var informers = _host!.Services.GetRequiredService<InformerSet>();
        await Eventually.HoldsAsync(() => informers.HaveSynced && informers.Get<Cake>().Count == 1);
        Assert.Empty(_api.Writes);
    }

    [Fact]
    public async Task A_lost_lease_ends_the_process()
    {
        PutCake();
        await StartAsync(LeaderElectionType.Single);
        await Eventually.HoldsAsync(() => _api.Find($"{Cakes}/a")?["status"] is not null, _time);
        var stopping = false;
        using var _ = _host!.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(() => Volatile.Write(ref stopping, true));
        try
        {
            _api.Intercept = r => r.Path == Lease ? ScriptedServer.Status(HttpStatusCode.InternalServerError, "InternalError") : null;
            await Eventually.HoldsAsync(() => Volatile.Read(ref stopping), _time);
            Assert.Equal(1, Environment.ExitCode);
        }
        finally
        {
            Environment.ExitCode = 0;
        }
    }

    [Fact]
    public async Task Readiness_names_what_is_wrong_and_metrics_are_served()
    {
        var block = true;
        _api.Intercept = r => Volatile.Read(ref block) && !r.IsWatch && r.Path.EndsWith("/cakes", StringComparison.Ordinal)
            ? ScriptedServer.Status(HttpStatusCode.Forbidden, "Forbidden")
            : null;
        await StartAsync(LeaderElectionType.None);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.MapOperatorEndpoints(_host!.Services.GetRequiredService<OperatorHealth>(), _host.Services.GetRequiredService<CollectorRegistry>());
        await app.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };

        var waiting = await http.GetAsync("/readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, waiting.StatusCode);
        Assert.Contains("The cache of cakes is not filled yet.", await waiting.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("ok", await http.GetStringAsync("/healthz"));

        Volatile.Write(ref block, false);
        var informers = _host.Services.GetRequiredService<InformerSet>();
        await Eventually.HoldsAsync(() => informers.HaveSynced, _time);
        await Eventually.HoldsAsync(() => http.GetStringAsync("/readyz").ContinueWith(t => t.IsCompletedSuccessfully, TaskScheduler.Default).Result);
        Assert.Contains("rest_client_requests_total{", await http.GetStringAsync("/metrics"), StringComparison.Ordinal);

        _api.Intercept = _ => ScriptedServer.Status(HttpStatusCode.ServiceUnavailable, "ServiceUnavailable");
        _time.Advance(TimeSpan.FromMinutes(12));
        var silent = await http.GetAsync("/readyz");
        Assert.Contains("has been silent for 12 minutes", await silent.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private void PutCake() => _api.Put($"{Cakes}/a", new JsonObject
    {
        ["metadata"] = new JsonObject { ["name"] = "a", ["namespace"] = "ns" }, ["spec"] = new JsonObject { ["flavour"] = "Sweet" },
    });

    private async Task StartAsync(LeaderElectionType election)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLogging();
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Services.AddSingleton(sp => new ApiClient(
            new k8s.KubernetesClientConfiguration { Host = "http://localhost:1" },
            new ApiClientOptions { FieldManager = "bakery", TimeProvider = _time, Timeout = TimeSpan.FromDays(10) },
            sp.GetRequiredService<ControllerMetrics>().RequestCounter(), _api.Server));
        builder.Services.AddKubernetesOperator(settings =>
            {
                settings.Name = "bakery";
                settings.Identity = "me";
                settings.LeaderElectionType = election;
                settings.LeaderElectionNamespace = "ns";
            })
            .AddController<Bakery, Cake>().Owns<V1ConfigMap>()
            .AddFinalizer<Bakery, Cake>("test.graft.dev/oven");
        _host = builder.Build();
        await _host.StartAsync();
    }

    private sealed class Bakery(Applier applier) : IEntityController<Cake>, IEntityFinalizer<Cake>
    {
        public Task<ReconciliationResult<Cake>> ReconcileAsync(Cake entity, CancellationToken cancellationToken) =>
            applier.ExecuteAsync(entity, new Plan<CakeStatus> { Status = new CakeStatus { Phase = "Baked by me" } }, cancellationToken);

        public Task<ReconciliationResult<Cake>> DeletedAsync(Cake entity, CancellationToken cancellationToken) =>
            Task.FromResult(ReconciliationResult<Cake>.Success(entity));

        public Task<ReconciliationResult<Cake>> FinalizeAsync(Cake entity, CancellationToken cancellationToken) =>
            Task.FromResult(ReconciliationResult<Cake>.Success(entity));
    }
}
