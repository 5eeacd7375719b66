using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Graft.LocalCluster.Admission;
using Graft.LocalCluster.Admission.PodSecurity;
using Graft.LocalCluster.Api.Access;
using Graft.LocalCluster.Api.Documents;
using Graft.LocalCluster.Api.Pods;
using Graft.LocalCluster.Api.Writing;
using Graft.LocalCluster.Faults;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Kubelet.Logs;
using Graft.LocalCluster.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace Graft.LocalCluster.Api.Hosting;

/// <summary>Where and with what the API server runs.</summary>
/// <param name="Endpoint">A loopback address; port 0 takes any that is free.</param>
/// <param name="ServiceAddress">The n-th address for Services, n from 1.</param>
internal sealed record ApiServerOptions(
    IPEndPoint Endpoint, string KubeconfigPath, LogFiles Logs, Func<int, string> ServiceAddress, TimeProvider Time, ILoggerFactory Loggers,
    Action<AccessRecord>? Audit = null)
{
    /// <summary>What goes wrong with requests; null for nothing.</summary>
    public FaultInjector? Faults { get; init; }

    /// <summary>Whether controllers run beside the server: what they would make of a new namespace is made.</summary>
    public bool HasControllers { get; init; }

    /// <summary>A folder in which objects, certificate and token outlive the process; null keeps them in memory.</summary>
    public string? Keep { get; init; }
}

/// <summary>The embedded Kubernetes API: one store, one handler for all kinds, one HTTP listener on a loopback address.</summary>
internal sealed class ApiServer : IAsyncDisposable
{
    private const int MaxHeaderBytes = 1024 * 1024;

    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stopping = new();
    private readonly ServerIdentity _identity;
    private readonly SqliteJournal? _journal;
    private readonly WebApplication _app;
    private readonly PodProxy _proxy;
    private readonly Lifecycle _lifecycle;
    private Task _sweeping = Task.CompletedTask;

    private ApiServer(ApiServerOptions options)
    {
        _identity = options.Keep is { } folder ? ServerIdentity.Of(folder, options.Endpoint.Address) : ServerIdentity.New(options.Endpoint.Address);
        (_journal, var kept) = options.Keep is { } state ? Open(state) : (null, null);
        Store = new ObjectStore(journal: _journal);
        Access = new AccessControl(Store, _identity.Token, _identity.TokenKey, options.Audit, options.Time);
        var catalog = new KindCatalog();
        var writer = new ObjectWriter(Store, new RuleContext(options.Time, options.ServiceAddress, IsServiceAddressTaken), [new ServiceAccountAdmission(Store), new PodSecurityAdmission(Store), new RoleEscalation(Access.Roles)]);
        var deleter = new ObjectDeleter(Store, writer);
        _lifecycle = new Lifecycle(Store, catalog, writer, deleter, new ClusterSecrets(Access.Tokens, _identity.Certificate.ExportCertificatePem(), options.HasControllers));
        if (kept is not null)
            _lifecycle.Restore(kept);
        _app = BuildHost(options, _identity.Certificate);
        _proxy = new PodProxy(_app.Services.GetRequiredService<IHttpForwarder>());
        var connections = new PodConnections(
            Store, new PodLogs(Store, options.Logs, options.Time), _proxy, new PodBinding(catalog, writer), new PodEviction(Store, catalog, writer, deleter));
        var resources = new ResourceHandler(Store, catalog, writer, deleter, connections, Access, options.Time);
        var dispatcher = new RequestDispatcher(
            Store,
            Access.Gate,
            resources,
            new Discovery(catalog),
            new OpenApiDocuments(catalog, options.Time),
            new HealthChecks(Store),
            options.Loggers.CreateLogger<RequestDispatcher>(),
            _stopping.Token,
            options.Faults is null ? null : new RequestFaults(options.Faults, Store, options.Time, _stopping.Token));
        _app.Run(dispatcher.HandleAsync);
    }

    public ObjectStore Store { get; }

    public AccessControl Access { get; }

    public Uri Address { get; private set; } = new("https://127.0.0.1");

    /// <summary>The certificate to trust, in the form of a kubeconfig: base64 of PEM.</summary>
    public string CertificateData => Convert.ToBase64String(Encoding.ASCII.GetBytes(_identity.Certificate.ExportCertificatePem()));

    /// <exception cref="ArgumentException">The address is not a loopback address.</exception>
    /// <exception cref="IOException">The port is in use, or the kubeconfig cannot be written.</exception>
    public static async Task<ApiServer> StartAsync(ApiServerOptions options, CancellationToken cancellation)
    {
        if (!IPAddress.IsLoopback(options.Endpoint.Address))
            throw new ArgumentException(
                $"{options.Endpoint.Address} is not a loopback address: the embedded API serves this machine alone");
        var server = new ApiServer(options);
        try
        {
            server._lifecycle.CreateDefaults();
            await server._app.StartAsync(cancellation);
            server.Address = new Uri(server._app.Urls.First());
            Kubeconfig.Write(options.KubeconfigPath, server.Address, server.CertificateData, server._identity.Token);
            server._sweeping = Task.WhenAll(
                server._lifecycle.RunAsync(server._stopping.Token), new EventExpiry(server.Store, options.Time).RunAsync(server._stopping.Token));
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private static (SqliteJournal?, StoredContent?) Open(string folder) => SqliteJournal.Open(Path.Combine(folder, "objects.db"));

    public async ValueTask DisposeAsync()
    {
        // Ends watches and sweeps first: a listener waits for its requests.
        await _stopping.CancelAsync();
        await _sweeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _app.StopAsync();
        await _app.DisposeAsync();
        _proxy.Dispose();
        if (_journal is not null)
            await _journal.DisposeAsync();
        Access.Dispose();
        _identity.Dispose();
        _stopping.Dispose();
    }

    private bool IsServiceAddressTaken(string address) => Store.Snapshot(new GroupResource("", "services")).Objects.All
        .Any(service => service.Content.At("spec", "clusterIP").AsString() == address);

    private static WebApplication BuildHost(ApiServerOptions options, X509Certificate2 certificate)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(options.Endpoint, listener => listener.UseHttps(certificate));
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
            // As much as Go's server reads of a request line and headers: long selectors are legitimate.
            kestrel.Limits.MaxRequestLineSize = MaxHeaderBytes;
            kestrel.Limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
            kestrel.Limits.Http2.MaxRequestHeaderFieldSize = MaxHeaderBytes;
            // Whoever reads a body bounds it, and says so in Kubernetes' words.
            kestrel.Limits.MaxRequestBodySize = null;
            // Watches and followed logs are silent for as long as nothing happens.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
        });
        builder.Services.AddSingleton(options.Loggers);
        builder.Services.AddHttpForwarder();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        return builder.Build();
    }

    /// <summary>The program around the server decides when it ends; the default would take Ctrl-C for itself.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
