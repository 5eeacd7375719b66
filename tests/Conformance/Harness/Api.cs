using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using k8s;

namespace Graft.Conformance.Harness;

/// <summary>A Kubernetes API server, known by its kubeconfig alone, spoken to in plain HTTP and JSON.</summary>
internal sealed class Api : IDisposable
{
    public const string UserAgent = "conformance/1";
    private readonly KubernetesClientConfiguration _configuration;
    private readonly Kubernetes _client;

    // The library reads the kubeconfig, with its certificates and ways to log in; its types of requests and objects are not used.
    public Api(string kubeconfig) : this(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig))
    {
    }

    private Api(KubernetesClientConfiguration configuration) => _client = new Kubernetes(_configuration = configuration);

    /// <summary>The same server for somebody who has nothing but a token.</summary>
    public Api WithToken(string token) => new(new KubernetesClientConfiguration
    {
        Host = _configuration.Host, SslCaCerts = _configuration.SslCaCerts, SkipTlsVerify = _configuration.SkipTlsVerify, AccessToken = token,
    });

    /// <summary>A request in the name of somebody else.</summary>
    public async Task<Answer> SendAsAsync(string user, HttpMethod method, string path, string? body, string? type)
    {
        using var response = await RawAsync(method, path, body, type, "application/json", HttpCompletionOption.ResponseContentRead, user);
        return await Answer.ReadAsync(response);
    }

    public Task<Answer> SendAsync(HttpMethod method, string path, JsonNode? body = null, string? type = "application/json",
        string? accept = "application/json") =>
        SendTextAsync(method, path, body?.ToJsonString(), type, accept);

    /// <param name="body">As it goes over the wire, well-formed or not.</param>
    /// <param name="known">The tag of the answer that one has already, quoted.</param>
    public async Task<Answer> SendTextAsync(HttpMethod method, string path, string? body, string? type = "application/json",
        string? accept = "application/json", string? known = null)
    {
        using var response = await RawAsync(method, path, body, type, accept, HttpCompletionOption.ResponseContentRead, known: known);
        return await Answer.ReadAsync(response);
    }

    public async Task<HttpResponseMessage> RawAsync(HttpMethod method, string path, string? body, string? type, string? accept,
        HttpCompletionOption until, string? user = null, string? known = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(_client.BaseUri, path));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        }
        request.Headers.UserAgent.Clear();
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        if (known is not null) request.Headers.TryAddWithoutValidation("If-None-Match", known);
        if (accept is not null) request.Headers.TryAddWithoutValidation("Accept", accept);
        if (user is not null) request.Headers.TryAddWithoutValidation("Impersonate-User", user);
        if (_client.Credentials is not null) await _client.Credentials.ProcessHttpRequestAsync(request, CancellationToken.None);
        using var patience = new CancellationTokenSource(Poll.Limit);
        try
        {
            return await _client.HttpClient.SendAsync(request, until, patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"waited {Poll.Limit.TotalSeconds} s for the answer to {method} {path}");
            throw;
        }
    }

    public void Dispose() => _client.Dispose();
}
