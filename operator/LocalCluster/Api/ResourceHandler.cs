using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Access;
using Graft.LocalCluster.Api.Pods;
using Graft.LocalCluster.Api.Reading;
using Graft.LocalCluster.Api.Writing;
using Graft.LocalCluster.Faults;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api;

/// <summary>Every verb on every kind: the one place where a request on a resource becomes an operation on the store.</summary>
internal sealed class ResourceHandler(
    ObjectStore store, KindCatalog catalog, ObjectWriter writer, ObjectDeleter deleter, PodConnections connections, AccessControl access,
    TimeProvider time)
{
    private readonly ListReader _lists = new(store);
    private readonly PatchRequests _patches = new(store, writer);
    private readonly ScaleRequests _scales = new(store, writer);
    public async Task HandleAsync(HttpContext http, RequestTarget target, CancellationToken stopping)
    {
        var kind = catalog.Find(target.Group, target.Version, target.Resource) ?? throw (target.Group == NotAvailable.MetricsGroup ? NotAvailable.Metrics() : ApiException.NoSuchResource());
        if (kind.Namespaced ? target.Namespace.Length == 0 && target.Name.Length > 0 : target.Namespace.Length > 0)
            throw ApiException.NoSuchResource();
        if (kind.Instead is not null && http.Request.Method is not ("GET" or "HEAD" or "DELETE"))
            throw NotAvailable.Objects(kind);
        if (kind.Deprecation.Length > 0)
            Responses.AddWarnings(http, [kind.Deprecation]);
        if (kind.IsVirtual)
            await access.ReviewAsync(http, kind, target);
        else if (kind is { Group: "", Plural: "serviceaccounts" } && target.Subresource == "token")
            await access.TokenAsync(http, target);
        else if (kind.Connections.Contains(target.Subresource))
            await connections.HandleAsync(http, target);
        else if (target.Subresource == "scale" && kind.Scale is not null)
            await _scales.HandleAsync(http, kind, target);
        else if (target.Subresource == "finalize" && kind.HasFinalize && !HttpMethods.IsPut(http.Request.Method))
            throw ApiException.MethodNotAllowed();
        else if (target.Subresource.Length > 0 && !(target.Subresource == "status" && kind.HasStatus)
            && !(target.Subresource == "finalize" && kind.HasFinalize))
            throw ApiException.NoSuchResource();
        else
            await DocumentAsync(http, kind, target, stopping);
    }

    private Task DocumentAsync(HttpContext http, ResourceKind kind, RequestTarget target, CancellationToken stopping) =>
        (http.Request.Method, target.Name.Length > 0) switch
        {
            ("GET" or "HEAD", _) when http.Request.Query["watch"].ToString() is "true" or "1" => WatchAsync(http, kind, target, stopping),
            ("GET" or "HEAD", true) => GetAsync(http, kind, target),
            ("GET" or "HEAD", false) => ListAsync(http, kind, target),
            // Only lists and watches go over all namespaces.
            ("POST" or "DELETE", false) when kind.Namespaced && target.Namespace.Length == 0 => throw ApiException.MethodNotAllowed(),
            ("POST", false) => CreateAsync(http, kind, target),
            ("PUT", true) => ReplaceAsync(http, kind, target),
            ("PATCH", true) => _patches.HandleAsync(http, kind, target),
            ("DELETE", true) when target.Subresource.Length == 0 => DeleteAsync(http, kind, target),
            ("DELETE", false) when kind.DeletesCollections => DeleteCollectionAsync(http, kind, target),
            _ => throw ApiException.MethodNotAllowed(),
        };

    private Task GetAsync(HttpContext http, ResourceKind kind, RequestTarget target)
    {
        var renderer = new ObjectRenderer(kind, Representation.Of(http.Request), time);
        if (long.TryParse(http.Request.Query["resourceVersion"], out var asked) && asked > store.ResourceVersion)
            throw ApiException.TooNew(asked, store.ResourceVersion);
        var stored = StaleRead.Find(http, store, kind.GroupResource, KeyOf(target))
            ?? throw ApiException.NotFound(kind.GroupResource, target.Name);
        return Responses.WriteAsync(http, 200, json => renderer.WriteOne(json, stored));
    }

    private Task ListAsync(HttpContext http, ResourceKind kind, RequestTarget target)
    {
        var renderer = new ObjectRenderer(kind, Representation.Of(http.Request, isList: true), time);
        ListOptions.Check(http.Request.Query, watch: false);
        var page = _lists.Read(kind, SelectorsOf(http.Request, kind, target), http.Request.Query);
        return renderer.SendListAsync(http, page);
    }

    private Task WatchAsync(HttpContext http, ResourceKind kind, RequestTarget target, CancellationToken stopping)
    {
        var renderer = new ObjectRenderer(kind, Representation.Of(http.Request), time);
        ListOptions.Check(http.Request.Query, watch: true);
        return new WatchStream(store, kind, SelectorsOf(http.Request, kind, target), renderer, time).ServeAsync(http, stopping);
    }

    private async Task CreateAsync(HttpContext http, ResourceKind kind, RequestTarget target)
    {
        var options = WriteOptions.Of(http.Request);
        var obj = await ReadObjectAsync(http, kind, target, options);
        var stored = writer.Create(kind, obj, options);
        await RespondAsync(http, 201, kind, stored, options);
    }

    private async Task ReplaceAsync(HttpContext http, ResourceKind kind, RequestTarget target)
    {
        var options = WriteOptions.Of(http.Request);
        var obj = await ReadObjectAsync(http, kind, target, options);
        if (obj.Name().Length == 0)
            throw ApiException.BadRequest("name must be provided");
        if (obj.ResourceVersion().Length == 0 && !kind.AllowsUnconditionalUpdate)
        {
            throw ApiException.Invalid(kind, target.Name,
                [Schema.FieldError.Invalid("metadata.resourceVersion", "0x0", "must be specified for an update")]);
        }
        var stored = writer.Update(kind, KeyOf(target), target.Subresource, current =>
        {
            CheckUid(kind, current, obj.Uid());
            return new Changed((JsonObject)obj.DeepClone());
        }, options);
        await RespondAsync(http, 200, kind, stored, options);
    }

    private static void CheckUid(ResourceKind kind, StoredObject current, string uid)
    {
        if (uid.Length > 0 && uid != current.Content.Uid())
        {
            throw ApiException.Conflict(kind.GroupResource, current.Key.Name,
                $"Precondition failed: UID in precondition: {uid}, UID in object meta: {current.Content.Uid()}");
        }
    }

    private async Task DeleteAsync(HttpContext http, ResourceKind kind, RequestTarget target)
    {
        var options = DeleteOptions.Of(await ReadOptionsAsync(http), http.Request);
        var deletion = deleter.Delete(kind, KeyOf(target), options);
        if (!deletion.Gone || kind.DeletesGracefully)
        {
            var renderer = new ObjectRenderer(kind, Representation.Of(http.Request), time);
            await Responses.WriteAsync(http, 200, json => renderer.WriteOne(json, deletion.Object));
            return;
        }
        var details = new JsonObject { ["name"] = target.Name };
        if (kind.Group.Length > 0)
            details["group"] = kind.Group;
        details["kind"] = kind.Plural;
        details["uid"] = deletion.Object.Content.Uid();
        await Responses.WriteAsync(http, 200, new JsonObject
        {
            ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success", ["details"] = details,
        });
    }

    private async Task DeleteCollectionAsync(HttpContext http, ResourceKind kind, RequestTarget target)
    {
        var options = DeleteOptions.Of(await ReadOptionsAsync(http), http.Request);
        var selectors = SelectorsOf(http.Request, kind, target);
        var deleted = new List<StoredObject>();
        foreach (var stored in store.Snapshot(kind.GroupResource).Objects.In(target.Namespace).Where(selectors.Matches))
        {
            try
            {
                deleted.Add(deleter.Delete(kind, stored.Key, options).Object);
            }
            catch (ApiException e) when (e.Code == 404)
            {
                // Went on its own meanwhile.
            }
        }
        var renderer = new ObjectRenderer(kind, Representation.Of(http.Request, isList: true), time);
        await renderer.SendListAsync(http, new ListPage(deleted, store.ResourceVersion, "", null));
    }

    private async Task RespondAsync(HttpContext http, int code, ResourceKind kind, StoredObject stored, WriteOptions options)
    {
        Responses.AddWarnings(http, options.Warnings);
        var renderer = new ObjectRenderer(kind, Representation.Of(http.Request), time);
        await Responses.WriteAsync(http, code, json => renderer.WriteOne(json, stored));
    }

    internal static async Task<JsonObject> ReadObjectAsync(HttpContext http, ResourceKind kind, RequestTarget target, WriteOptions options)
    {
        if (ProtobufBody.IsIn(http.Request))
        {
            var sent = ProtobufBody.Parse(await BodyDecoder.ReadBytesAsync(http.Request), kind.Kind);
            var read = BodyDecoder.ToObject(sent, kind, options, []);
            MatchTarget(read, target);
            return read;
        }
        CheckContentType(http.Request);
        var faults = new List<string>();
        var obj = BodyDecoder.ToObject(await BodyDecoder.ReadAsync(http.Request, faults), kind, options, faults);
        MatchTarget(obj, target);
        return obj;
    }

    /// <summary>The name and namespace of a body are those of the URL, or absent.</summary>
    internal static void MatchTarget(JsonObject obj, RequestTarget target)
    {
        if (target.Namespace.Length > 0)
        {
            if (obj.Namespace() is { Length: > 0 } ns && ns != target.Namespace)
                throw ApiException.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
            obj.Metadata()["namespace"] = target.Namespace;
        }
        if (target.Name.Length > 0)
        {
            if (obj.Name() is { Length: > 0 } name && name != target.Name)
                throw ApiException.BadRequest($"the name of the object ({name}) does not match the name on the URL ({target.Name})");
            obj.Metadata()["name"] = target.Name;
        }
    }

    private static void CheckContentType(HttpRequest request)
    {
        var type = request.ContentType?.Split(';')[0].Trim() ?? "application/json";
        if (type is not ("application/json" or "application/yaml" or "text/yaml" or "application/x-yaml" or ""))
        {
            throw ApiException.UnsupportedMediaType(
                "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, "
                + ProtobufBody.ContentType);
        }
    }

    private static async Task<JsonObject?> ReadOptionsAsync(HttpContext http)
    {
        if (http.Request.ContentLength is 0 or null)
            return null;
        if (ProtobufBody.IsIn(http.Request))
            return ProtobufBody.Parse(await BodyDecoder.ReadBytesAsync(http.Request), "DeleteOptions");
        return await BodyDecoder.ReadAsync(http.Request, []) as JsonObject;
    }

    private static Selectors SelectorsOf(HttpRequest request, ResourceKind kind, RequestTarget target) =>
        new(kind, target.Namespace, target.Name, request.Query["labelSelector"].ToString(), request.Query["fieldSelector"].ToString());

    internal static ObjectKey KeyOf(RequestTarget target) => new(target.Namespace, target.Name);
}
