using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace Graft.Runtime;

public sealed record ApiClientOptions
{
    /// <summary>Who owns the fields that this client writes.</summary>
    public string FieldManager { get; init; } = "graft-operator";

    /// <summary>Who asks, for the server's logs and for whoever disturbs clients on purpose; absent: the field manager.</summary>
    public string? UserAgent { get; init; }

    /// <summary>Limit of a request, and of a stream's start.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    public int MaxRetries { get; init; } = 4;

    /// <summary>A server that asks for a longer pause gets its error raised instead.</summary>
    public TimeSpan MaxRetryAfter { get; init; } = TimeSpan.FromSeconds(30);

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    public Random? Jitter { get; init; }
}

/// <summary>
/// The Kubernetes API. <see cref="Resource{T}"/> has all verbs of a kind; the methods here are shortcuts for the common ones.
/// Credentials and TLS are KubernetesClient's; lists, watches and writes go over a transport of our own, because a typed PUT of a
/// built-in object drops fields, a watch must report its start, and errors must carry the server's Status.
/// </summary>
public sealed class ApiClient : IDisposable
{
    private readonly ApiTransport _transport;
    private readonly ApiClientOptions _options;

    /// <param name="handlers">See every request and answer: metrics, fault injection.</param>
    public ApiClient(KubernetesClientConfiguration configuration, ApiClientOptions? options = null, params DelegatingHandler[] handlers)
    {
        _options = options ?? new ApiClientOptions();
        var kubernetes = new Kubernetes(configuration, handlers);
        // A base without a closing slash would lose its last part when paths are resolved against it.
        if (!kubernetes.BaseUri.AbsoluteUri.EndsWith('/'))
            kubernetes.BaseUri = new Uri($"{kubernetes.BaseUri.AbsoluteUri}/");
        BaseUri = kubernetes.BaseUri;
        _transport = new ApiTransport(kubernetes, _options);
    }

    public Uri BaseUri { get; }

    public string FieldManager => _options.FieldManager;

    public void Dispose() => _transport.Dispose();

    public ResourceClient<T> Resource<T>() where T : class, IKubernetesObject => new(_transport, ResourceKind.Of<T>(), FieldManager);

    /// <summary>Raw objects of any kind.</summary>
    public ResourceClient<JsonObject> Resource(ResourceKind kind) => new(_transport, kind, FieldManager);

    /// <summary>Null when there is none.</summary>
    public Task<T?> GetAsync<T>(string name, string? ns = null, CancellationToken ct = default)
        where T : class, IKubernetesObject<V1ObjectMeta> => Resource<T>().GetAsync(name, ns, ct);

    public Task<IReadOnlyList<T>> ListAsync<T>(string? ns = null, string? labelSelector = null, CancellationToken ct = default)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        Resource<T>().ListAsync(new ListOptions { Namespace = ns, LabelSelector = labelSelector }, ct);

    public Task<T> CreateAsync<T>(T obj, CancellationToken ct = default)
        where T : class, IKubernetesObject<V1ObjectMeta> => Resource<T>().CreateAsync(obj, null, ct);

    public Task<T> UpdateAsync<T>(T obj, CancellationToken ct = default)
        where T : class, IKubernetesObject<V1ObjectMeta> => Resource<T>().UpdateAsync(obj, null, ct);

    public Task<T> UpdateStatusAsync<T>(T obj, CancellationToken ct = default)
        where T : class, IKubernetesObject<V1ObjectMeta> => Resource<T>().UpdateStatusAsync(obj, null, ct);

    public Task<T> ApplyAsync<T>(T obj, CancellationToken ct = default)
        where T : class, IKubernetesObject<V1ObjectMeta> => Resource<T>().ApplyAsync(obj, null, ct);

    /// <summary>Deletes this incarnation of the object; false when it is gone already.</summary>
    public Task<bool> DeleteAsync<T>(T obj, CancellationToken ct = default)
        where T : class, IKubernetesObject<V1ObjectMeta> => Resource<T>().DeleteAsync(
            obj.Metadata.Name, obj.Metadata.NamespaceProperty, new DeleteOptions { Uid = obj.Metadata.Uid }, ct);

    /// <summary>GET of any path below the server's root, for instance `version` or `readyz`.</summary>
    public Task<byte[]> GetRawAsync(string pathAndQuery, CancellationToken ct = default) =>
        _transport.SendAsync(new ApiRequest(HttpMethod.Get, pathAndQuery.TrimStart('/')) { Accept = "*/*" }, ct);

    /// <summary>A container's log as a stream of bytes; with follow it ends when the container does. Dispose the stream.</summary>
    public async Task<Stream> PodLogAsync(
        string name, string ns, string? container = null, bool follow = false, bool previous = false, int? tailLines = null, CancellationToken ct = default)
    {
        var query = new Query().Add("container", container).Add("follow", follow).Add("previous", previous).Add("tailLines", tailLines);
        var request = new ApiRequest(HttpMethod.Get, $"{ResourceKind.Of<V1Pod>().Path(ns, name, "log")}{query}") { Accept = "*/*" };
        return await ResponseStream.OpenAsync(await _transport.OpenAsync(request, ct).ConfigureAwait(false), ct).ConfigureAwait(false);
    }

    /// <summary>GET of a pod's port through the API server. An error answer of the pod is an <see cref="ApiException"/> too.</summary>
    /// <exception cref="HttpRequestException">The answer is longer than <paramref name="maxBytes"/>.</exception>
    public Task<byte[]> PodProxyGetAsync(string name, string ns, int port, string path, int maxBytes, CancellationToken ct = default) =>
        _transport.SendAsync(
            new ApiRequest(HttpMethod.Get, ProxyPath(name, ns, port, path))
            {
                Accept = "*/*", Idempotent = false, MaxAnswerBytes = maxBytes,
            },
            ct);

    /// <summary>POST of a JSON body to a pod's port through the API server; never repeated.</summary>
    /// <exception cref="HttpRequestException">The answer is longer than <paramref name="maxBytes"/>.</exception>
    public Task<byte[]> PodProxyPostAsync(
        string name, string ns, int port, string path, byte[] body, int maxBytes, CancellationToken ct = default) =>
        _transport.SendAsync(
            new ApiRequest(HttpMethod.Post, ProxyPath(name, ns, port, path), body) { Accept = "*/*", MaxAnswerBytes = maxBytes }, ct);

    private static string ProxyPath(string name, string ns, int port, string path) =>
        $"{ResourceKind.Of<V1Pod>().Path(ns, $"{name}:{port}", "proxy").Replace("%3A", ":", StringComparison.Ordinal)}/{path.TrimStart('/')}";
}
