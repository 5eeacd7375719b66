using System.Text.Json;
using System.Text.Json.Nodes;

namespace Graft.Runtime;

/// <summary>One page of a list. <see cref="Unreadable"/> names objects that cannot be read as the type and were left out, and why.</summary>
public sealed record ObjectPage<T>(
    IReadOnlyList<T> Items, string ResourceVersion, string? Continue, IReadOnlyList<(ObjectKey Key, string Problem)> Unreadable);

/// <summary>
/// The verbs of one kind. T is a typed object or <see cref="JsonObject"/>. Errors are <see cref="ApiException"/>; an object that is
/// not there is null (get) or false (delete).
/// </summary>
public sealed class ResourceClient<T> where T : class
{
    private static readonly WriteOptions DefaultWrite = new();
    private readonly ApiTransport _transport;
    private readonly string _fieldManager;

    internal ResourceClient(ApiTransport transport, ResourceKind kind, string fieldManager)
    {
        _transport = transport;
        _fieldManager = fieldManager;
        Kind = kind;
    }

    public ResourceKind Kind { get; }

    public async Task<T?> GetAsync(string name, string? ns = null, CancellationToken ct = default)
    {
        try
        {
            return ObjectJson.Read<T>(await _transport.SendAsync(new ApiRequest(HttpMethod.Get, Kind.Path(ns, name)), ct).ConfigureAwait(false));
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>One page, of <see cref="ListOptions.Limit"/> objects where the server pages.</summary>
    public async Task<ObjectPage<T>> ListPageAsync(ListOptions? options = null, CancellationToken ct = default)
    {
        options ??= new ListOptions();
        var path = $"{Kind.Path(options.Namespace)}{new Query().Add(options)}";
        using var document = JsonDocument.Parse(await _transport.SendAsync(new ApiRequest(HttpMethod.Get, path), ct).ConfigureAwait(false));
        var items = new List<T>();
        var unreadable = new List<(ObjectKey, string)>();
        if (document.RootElement.TryGetProperty("items", out var list) && list.ValueKind == JsonValueKind.Array)
            foreach (var item in list.EnumerateArray())
                ReadItem(item, items, unreadable);
        var meta = document.RootElement.GetProperty("metadata");
        var next = meta.TryGetProperty("continue", out var token) ? token.GetString() : null;
        var version = meta.TryGetProperty("resourceVersion", out var v) ? v.GetString() ?? "" : "";
        return new ObjectPage<T>(items, version, string.IsNullOrEmpty(next) ? null : next, unreadable);
    }

    /// <summary>All pages.</summary>
    public async Task<IReadOnlyList<T>> ListAsync(ListOptions? options = null, CancellationToken ct = default)
    {
        options = (options ?? new ListOptions()) with { Limit = options?.Limit ?? 500 };
        var all = new List<T>();
        while (true)
        {
            var page = await ListPageAsync(options, ct).ConfigureAwait(false);
            all.AddRange(page.Items);
            if (page.Continue is null)
                return all;
            options = options with { Continue = page.Continue, ResourceVersion = null, ResourceVersionMatch = null };
        }
    }

    /// <summary>Starts a watch; when the task completes the server has accepted it.</summary>
    public async Task<WatchStream<T>> WatchAsync(ListOptions? options = null, bool bookmarks = true, CancellationToken ct = default)
    {
        options ??= new ListOptions();
        var query = new Query().Add("watch", true).Add("allowWatchBookmarks", bookmarks).Add(options);
        var request = new ApiRequest(HttpMethod.Get, $"{Kind.Path(options.Namespace)}{query}");
        return new WatchStream<T>(await _transport.OpenAsync(request, ct).ConfigureAwait(false), $"WATCH /{Kind.Path(options.Namespace)}");
    }

    public Task<T> CreateAsync(T obj, WriteOptions? options = null, CancellationToken ct = default) =>
        WriteAsync(HttpMethod.Post, Kind.Path(ObjectJson.KeyOf(obj).Namespace), obj, options, ct);

    /// <summary>Replaces the object. Fields that the type does not know are lost, so built-in objects are patched or applied instead.</summary>
    public Task<T> UpdateAsync(T obj, WriteOptions? options = null, CancellationToken ct = default) =>
        WriteAsync(HttpMethod.Put, PathOf(obj, null), obj, options, ct);

    public Task<T> UpdateStatusAsync(T obj, WriteOptions? options = null, CancellationToken ct = default) =>
        WriteAsync(HttpMethod.Put, PathOf(obj, "status"), obj, options, ct);

    public async Task<T> PatchAsync(
        string name, string? ns, Patch patch, WriteOptions? options = null, string? subresource = null, CancellationToken ct = default)
    {
        options ??= DefaultWrite;
        var query = new Query().Add(options, _fieldManager).Add("force", patch.Type == PatchType.Apply && options.Force);
        var body = JsonSerializer.SerializeToUtf8Bytes(patch.Body);
        var request = new ApiRequest(HttpMethod.Patch, $"{Kind.Path(ns, name, subresource)}{query}", body, patch.ContentType)
        {
            Idempotent = patch.Type == PatchType.Apply,
        };
        return ObjectJson.Read<T>(await _transport.SendAsync(request, ct).ConfigureAwait(false));
    }

    public Task<T> PatchStatusAsync(string name, string? ns, Patch patch, WriteOptions? options = null, CancellationToken ct = default) =>
        PatchAsync(name, ns, patch, options, "status", ct);

    /// <summary>Server-side apply: the fields set in the object become this manager's, those it no longer sets are removed.</summary>
    public Task<T> ApplyAsync(T obj, WriteOptions? options = null, CancellationToken ct = default) => ApplyAsync(obj, null, options, ct);

    public Task<T> ApplyStatusAsync(T obj, WriteOptions? options = null, CancellationToken ct = default) => ApplyAsync(obj, "status", options, ct);

    /// <summary>POST to a subresource that is an action and no document: binding, token, eviction.</summary>
    /// <returns>The answer's body.</returns>
    public Task<byte[]> PostAsync(string name, string? ns, string subresource, JsonNode body, CancellationToken ct = default) =>
        _transport.SendAsync(
            new ApiRequest(HttpMethod.Post, Kind.Path(ns, name, subresource), JsonSerializer.SerializeToUtf8Bytes(body)) { Idempotent = false }, ct);

    /// <returns>False when there was no such object.</returns>
    public async Task<bool> DeleteAsync(string name, string? ns = null, DeleteOptions? options = null, CancellationToken ct = default)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes((options ?? new DeleteOptions()).ToJson());
        try
        {
            await _transport.SendAsync(new ApiRequest(HttpMethod.Delete, Kind.Path(ns, name), body), ct).ConfigureAwait(false);
            return true;
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return false;
        }
    }

    private static void ReadItem(JsonElement item, List<T> items, List<(ObjectKey, string)> unreadable)
    {
        try
        {
            items.Add(ObjectJson.Read<T>(item));
        }
        catch (Exception e) when (e is JsonException or FormatException or NotSupportedException or ArgumentException)
        {
            var key = ObjectJson.KeyOf(item);
            unreadable.Add((key, $"{typeof(T).Name} '{key}' cannot be read: {e.Message}"));
        }
    }

    private async Task<T> ApplyAsync(T obj, string? subresource, WriteOptions? options, CancellationToken ct)
    {
        var json = ObjectJson.ToJson(obj);
        // An apply says what should be; what the server said of the object is no part of it.
        if (json["metadata"] is JsonObject meta)
            foreach (var field in (string[])["managedFields", "resourceVersion", "creationTimestamp", "uid", "generation"])
                meta.Remove(field);
        var key = ObjectJson.KeyOf(obj);
        return await PatchAsync(key.Name, key.Namespace, Patch.Apply(json), options, subresource, ct).ConfigureAwait(false);
    }

    private async Task<T> WriteAsync(HttpMethod method, string path, T obj, WriteOptions? options, CancellationToken ct)
    {
        var request = new ApiRequest(method, $"{path}{new Query().Add(options ?? DefaultWrite, _fieldManager)}", ObjectJson.Write(obj));
        return ObjectJson.Read<T>(await _transport.SendAsync(request, ct).ConfigureAwait(false));
    }

    private string PathOf(T obj, string? subresource)
    {
        var key = ObjectJson.KeyOf(obj);
        return Kind.Path(key.Namespace, key.Name, subresource);
    }
}
