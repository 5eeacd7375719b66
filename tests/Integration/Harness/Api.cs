using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using k8s;

namespace Graft.Integration.Harness;

/// <summary>A Kubernetes API server, known by its kubeconfig alone, spoken to in plain HTTP and JSON.</summary>
internal sealed class Api : IDisposable
{
    public const string Graft = "/apis/graft.dev/v1alpha1";
    private readonly Kubernetes _client;

    public Api(string kubeconfig)
    {
        Kubeconfig = kubeconfig;
        _client = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig));
    }

    public string Kubeconfig { get; }

    public static string FineTuneJobs(string space) => $"{Graft}/namespaces/{space}/finetunejobs";
    public static string AdapterDeployments(string space) => $"{Graft}/namespaces/{space}/adapterdeployments";
    public static string Core(string space, string plural) => $"/api/v1/namespaces/{space}/{plural}";
    public static string Jobs(string space) => $"/apis/batch/v1/namespaces/{space}/jobs";
    public static string Deployments(string space) => $"/apis/apps/v1/namespaces/{space}/deployments";

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null);

    public Task<Answer> CreateAsync(string path, JsonNode body, string query = "fieldValidation=Strict") =>
        SendAsync(HttpMethod.Post, $"{path}?{query}", body);

    public Task<Answer> MergePatchAsync(string path, string patch) =>
        SendAsync(HttpMethod.Patch, path, JsonNode.Parse(patch), "application/merge-patch+json");

    /// <summary>Server-side apply.</summary>
    public Task<Answer> ApplyAsync(string path, JsonNode body, string manager = "integration", string query = "force=true") =>
        SendAsync(HttpMethod.Patch, $"{path}?fieldManager={manager}&fieldValidation=Strict&{query}", body, "application/apply-patch+yaml");

    public Task<Answer> DeleteAsync(string path, string propagation = "Background") =>
        SendAsync(HttpMethod.Delete, $"{path}?propagationPolicy={propagation}", null);

    public async Task<string> TextAsync(string path)
    {
        using var response = await _client.HttpClient.GetAsync(Address(path));
        return await response.Content.ReadAsStringAsync();
    }

    public async Task<JsonObject?> FindAsync(string path)
    {
        var answer = await GetAsync(path);
        return answer.Status == HttpStatusCode.NotFound ? null : answer.Object();
    }

    public async Task<Answer> SendAsync(HttpMethod method, string path, JsonNode? body, string type = "application/json", string? accept = null)
    {
        using var request = new HttpRequestMessage(method, Address(path));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body.ToJsonString()));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        }
        request.Headers.TryAddWithoutValidation("Accept", accept ?? "application/json");
        if (_client.Credentials is not null) await _client.Credentials.ProcessHttpRequestAsync(request, CancellationToken.None);
        using var response = await _client.HttpClient.SendAsync(request);
        return new Answer(response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public void Dispose() => _client.Dispose();

    private Uri Address(string path) => new(_client.BaseUri, path);
}

/// <param name="Status">The HTTP status code.</param>
internal sealed record Answer(HttpStatusCode Status, string Body)
{
    /// <summary>The object that a successful request returned; fails with the server's words otherwise.</summary>
    public JsonObject Object() => (int)Status < 300
        ? JsonNode.Parse(Body)!.AsObject()
        : throw new InvalidOperationException($"{(int)Status}: {Message}");

    /// <summary>The message of a Status object, or the body as it is.</summary>
    public string Message
    {
        get
        {
            try { return JsonNode.Parse(Body)?["message"]?.GetValue<string>() ?? Body; }
            catch (System.Text.Json.JsonException) { return Body; }
        }
    }
}
