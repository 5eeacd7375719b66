using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using static Graft.Runtime.Tests.ScriptedServer;

namespace Graft.Runtime.Tests;

/// <summary>
/// Just enough of an API for the controller's loop: objects by path, versions, watches, merge patch and apply (whole replacement of
/// spec and metadata). It knows no ownership of fields, defaults or validation.
/// </summary>
internal sealed class MemoryApi : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, JsonObject> _objects = new(StringComparer.Ordinal);
    private readonly List<(string Collection, WatchFeed Feed)> _watches = [];
    private readonly List<(int Version, string Path, string Type, JsonObject Object)> _history = [];
    private int _version = 100;

    public MemoryApi(TimeProvider time)
    {
        Server = new ScriptedServer((r, _) => Task.FromResult(Answer(r)));
        Client = Client(Server, time);
    }

    public ScriptedServer Server { get; }

    public ApiClient Client { get; }

    /// <summary>Answers a request in place of the API when it returns something.</summary>
    public Func<ScriptedRequest, HttpResponseMessage?> Intercept { get; set; } = _ => null;

    public IEnumerable<string> Writes => Server.Requests.Where(r => r.Method != "GET").Select(r => $"{r.Method} {r.Path.Split("/ns/")[^1]}");

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
    }

    public JsonObject? Find(string path)
    {
        lock (_gate)
            return (JsonObject?)_objects.GetValueOrDefault(path)?.DeepClone();
    }

    public void Put(string path, JsonObject obj)
    {
        lock (_gate)
            Store(path, (JsonObject)obj.DeepClone());
    }

    public void Remove(string path)
    {
        lock (_gate)
        {
            _objects.Remove(path, out var old);
            old!["metadata"]!["resourceVersion"] = NextVersion();
            Tell(path, "DELETED", old);
        }
    }

    private HttpResponseMessage Answer(ScriptedRequest r)
    {
        lock (_gate)
        {
            if (Intercept(r) is { } answer)
                return answer;
            var path = r.Path.EndsWith("/status", StringComparison.Ordinal) ? r.Path[..^"/status".Length] : r.Path;
            switch (r.Method)
            {
                case "GET" when r.IsWatch:
                    var feed = new WatchFeed();
                    var since = int.Parse(r.Parameter("resourceVersion")!, CultureInfo.InvariantCulture);
                    foreach (var (_, _, type, obj) in _history.Where(h => h.Version > since && InCollection(h.Path, path)))
                        feed.SendAsync(type, obj).GetAwaiter().GetResult();
                    _watches.Add((path, feed));
                    return Stream(feed);
                case "GET" when Collection(path):
                    return List(Version(), [.. _objects.Where(o => InCollection(o.Key, path) && Selected(r, o.Value)).Select(o => o.Value)]);
                case "GET":
                    return _objects.TryGetValue(path, out var found) ? Json(found) : Status(HttpStatusCode.NotFound, "NotFound");
                case "POST":
                    return Json(Store($"{path}/{(string)r.Body!["metadata"]!["name"]!}", (JsonObject)r.Body!.DeepClone()), HttpStatusCode.Created);
                case "DELETE":
                    if (!_objects.Remove(path, out var gone))
                        return Status(HttpStatusCode.NotFound, "NotFound");
                    gone["metadata"]!["resourceVersion"] = NextVersion();
                    Tell(path, "DELETED", gone);
                    return Json(gone);
                default:
                    return Patch(r, path);
            }
        }
    }

    private HttpResponseMessage Patch(ScriptedRequest r, string path)
    {
        var old = _objects.GetValueOrDefault(path);
        if (r.ContentType == "application/apply-patch+yaml")
        {
            var applied = (JsonObject)r.Body!.DeepClone();
            if (old?["status"] is { } status)
                applied["status"] = status.DeepClone();
            return Json(Store(path, applied));
        }

        if (old is null)
            return Status(HttpStatusCode.NotFound, "NotFound");
        if (r.Body!["metadata"]?["resourceVersion"] is { } version && (string?)version != (string?)old["metadata"]!["resourceVersion"])
            return Status(HttpStatusCode.Conflict, "Conflict");
        var patched = (JsonObject)old.DeepClone();
        Merge(patched, (JsonObject)r.Body);
        if (patched["metadata"]!["deletionTimestamp"] is not null && patched["metadata"]!["finalizers"] is not JsonArray { Count: > 0 })
        {
            _objects.Remove(path);
            patched["metadata"]!["resourceVersion"] = NextVersion();
            Tell(path, "DELETED", patched);
            return Json(patched);
        }

        return Json(Store(path, patched));
    }

    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null)
                target.Remove(name);
            else if (value is JsonObject inner && target[name] is JsonObject into)
                Merge(into, inner);
            else
                target[name] = value.DeepClone();
        }
    }

    private JsonObject Store(string path, JsonObject obj)
    {
        var meta = (JsonObject)obj["metadata"]!;
        var old = _objects.GetValueOrDefault(path);
        meta["uid"] = (string?)old?["metadata"]?["uid"] ?? (string?)meta["uid"] ?? $"uid-{_version}";
        var generation = (int?)old?["metadata"]?["generation"] ?? 0;
        meta["generation"] = old is not null && JsonNode.DeepEquals(old["spec"], obj["spec"]) ? generation : generation + 1;
        meta["resourceVersion"] = NextVersion();
        _objects[path] = obj;
        Tell(path, old is null ? "ADDED" : "MODIFIED", obj);
        return obj;
    }

    private void Tell(string path, string type, JsonObject obj)
    {
        _history.Add((_version, path, type, (JsonObject)obj.DeepClone()));
        foreach (var (collection, feed) in _watches.Where(w => InCollection(path, w.Collection)))
            feed.SendAsync(type, obj).GetAwaiter().GetResult();
    }

    // A namespaced object also belongs to the collection of all namespaces.
    private static bool InCollection(string path, string collection) =>
        path.Replace("/namespaces/ns/", "/", StringComparison.Ordinal).StartsWith($"{collection.Replace("/namespaces/ns/", "/", StringComparison.Ordinal)}/", StringComparison.Ordinal);

    private static bool Collection(string path) => path.Replace("/namespaces/ns/", "/", StringComparison.Ordinal).Split('/').Length == (path.StartsWith("/api/", StringComparison.Ordinal) ? 4 : 5);

    private static bool Selected(ScriptedRequest r, JsonObject obj) => r.Parameter("labelSelector") is not { } selector
        || LabelSelector.Parse(selector).Matches((obj["metadata"]!["labels"] as JsonObject)?.ToDictionary(l => l.Key, l => (string)l.Value!));

    private string NextVersion() => (++_version).ToString(CultureInfo.InvariantCulture);

    private string Version() => _version.ToString(CultureInfo.InvariantCulture);
}
