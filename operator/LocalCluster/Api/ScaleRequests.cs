using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Writing;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api;

/// <summary>The scale subresource: autoscaling/v1 Scale in front of wherever a kind keeps its replicas.</summary>
internal sealed class ScaleRequests(ObjectStore store, ObjectWriter writer)
{
    public async Task HandleAsync(HttpContext http, ResourceKind kind, RequestTarget target)
    {
        var key = ResourceHandler.KeyOf(target);
        var stored = store.Get(kind.GroupResource, key) ?? throw ApiException.NotFound(kind.GroupResource, target.Name);
        if (HttpMethods.IsPut(http.Request.Method) || HttpMethods.IsPatch(http.Request.Method))
        {
            var options = WriteOptions.Of(http.Request);
            var body = await BodyDecoder.ReadAsync(http.Request, []);
            var type = HttpMethods.IsPatch(http.Request.Method) ? http.Request.ContentType?.Split(';')[0].Trim() ?? "" : "";
            stored = writer.Update(kind, key, "", current => Scaled(current, kind, type, body), options);
        }
        else if (!HttpMethods.IsGet(http.Request.Method))
        {
            throw ApiException.MethodNotAllowed();
        }
        await Responses.WriteAsync(http, 200, ScaleOf(stored.Content, kind));
    }

    private static Changed Scaled(StoredObject current, ResourceKind kind, string patchType, JsonNode body)
    {
        var scale = patchType.Length == 0 ? body : PatchRequests.Patched(ScaleOf(current.Content, kind), patchType, body, kind);
        if (scale.At("spec", "replicas") is null)
            throw ApiException.BadRequest("spec.replicas: Required value");
        if (scale.At("spec", "replicas").AsLong() is not { } replicas)
            throw ApiException.BadRequest("spec.replicas: must be a whole number");
        if (replicas < 0)
        {
            throw ApiException.Invalid(kind with { Group = "autoscaling", Kind = "Scale" }, current.Key.Name,
                [FieldError.Invalid("spec.replicas", replicas, "must be greater than or equal to 0")]);
        }
        var next = current.Copy();
        // Only a version that the client itself named is insisted on.
        next.Metadata()["resourceVersion"] = body.At("metadata", "resourceVersion").AsString() ?? "";
        var parent = next;
        foreach (var member in kind.Scale!.SpecReplicas.SkipLast(1))
            parent = parent.Child(member);
        parent[kind.Scale.SpecReplicas[^1]] = replicas;
        return new Changed(next);
    }

    private static JsonObject ScaleOf(JsonObject obj, ResourceKind kind)
    {
        var paths = kind.Scale!;
        var status = new JsonObject { ["replicas"] = obj.At([.. paths.StatusReplicas]).AsLong() ?? 0 };
        if (paths.Selector is { } path && obj.At([.. path]) is { } selector)
            status["selector"] = selector.AsString() ?? PrinterColumns.Selector(selector);
        var metadata = new JsonObject();
        foreach (var field in (string[])["name", "namespace", "uid", "resourceVersion", "creationTimestamp"])
        {
            if (obj.At("metadata", field) is { } value)
                metadata[field] = value.DeepClone();
        }
        return new JsonObject
        {
            ["kind"] = "Scale",
            ["apiVersion"] = "autoscaling/v1",
            ["metadata"] = metadata,
            ["spec"] = new JsonObject { ["replicas"] = obj.At([.. paths.SpecReplicas]).AsLong() ?? 0 },
            ["status"] = status,
        };
    }
}
