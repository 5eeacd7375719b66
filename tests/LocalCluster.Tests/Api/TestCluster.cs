using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using k8s;

namespace Graft.LocalCluster.Tests.Api;

/// <summary>A server of its own for a test class, and plain HTTP on it: what is asserted is what goes over the wire.</summary>
public sealed class TestCluster : IAsyncLifetime
{
    private readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("graft-api-test-");
    private int _names;

    public FaultInjector? Faults { get; init; }

    public LocalCluster Cluster { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public Kubernetes Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Cluster = await LocalCluster.StartAsync(new LocalClusterOptions { StateFolder = _state.FullName, Faults = Faults });
        Http = NewHttp(Cluster.ClientConfiguration.AccessToken);
        Client = new Kubernetes(Cluster.ClientConfiguration);
    }

    public async Task DisposeAsync()
    {
        Http.Dispose();
        Client.Dispose();
        await Cluster.DisposeAsync();
        _state.Delete(recursive: true);
    }

    /// <summary>A client that trusts the server as the kubeconfig says, with any token or none.</summary>
    public HttpClient NewHttp(string? token)
    {
        var trusted = Cluster.ClientConfiguration.SslCaCerts[0];
        var http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) =>
                shown?.GetCertHashString() == trusted.GetCertHashString() },
        })
        { BaseAddress = Cluster.Address };
        if (token is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return http;
    }

    /// <summary>A name that no other test of the class uses.</summary>
    public string Name(string prefix = "x") => $"{prefix}-{Interlocked.Increment(ref _names)}";

    /// <summary>A namespace of the test's own.</summary>
    public async Task<string> NamespaceAsync()
    {
        var name = Name("ns");
        var (code, _) = await SendAsync(HttpMethod.Post, "/api/v1/namespaces", $$$"""{"metadata":{"name":"{{{name}}}"}}""");
        Assert.Equal(201, code);
        return name;
    }

    public async Task<(int Code, JsonNode Body)> SendAsync(HttpMethod method, string path, string? body = null,
        string type = "application/json", string? accept = null)
    {
        using var response = await RawAsync(method, path, body, type, accept);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    public async Task<HttpResponseMessage> RawAsync(HttpMethod method, string path, string? body = null, string type = "application/json",
        string? accept = null)
    {
        var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        }
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public Task<(int Code, JsonNode Body)> GetAsync(string path, string? accept = null) =>
        SendAsync(HttpMethod.Get, path, null, "", accept);

    public Task<(int Code, JsonNode Body)> PostAsync(string path, string body) => SendAsync(HttpMethod.Post, path, body);

    public Task<(int Code, JsonNode Body)> PutAsync(string path, string body) => SendAsync(HttpMethod.Put, path, body);

    public Task<(int Code, JsonNode Body)> DeleteAsync(string path, string? body = null) => SendAsync(HttpMethod.Delete, path, body);

    public Task<(int Code, JsonNode Body)> PatchAsync(string path, string body, string form) =>
        SendAsync(HttpMethod.Patch, path, body, form == "apply" ? "application/apply-patch+yaml" : $"application/{form}-patch+json");
}
