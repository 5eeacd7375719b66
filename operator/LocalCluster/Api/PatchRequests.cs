using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Reading;
using Graft.LocalCluster.Api.Writing;
using Graft.LocalCluster.Apply;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Patching;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api;

/// <summary>PATCH in its four forms: JSON patch, merge patch, strategic merge patch, server-side apply.</summary>
internal sealed class PatchRequests(ObjectStore store, ObjectWriter writer)
{
    private const string Json = "application/json-patch+json";
    private const string Merge = "application/merge-patch+json";
    private const string Strategic = "application/strategic-merge-patch+json";
    private const string ApplyYaml = "application/apply-patch+yaml";

    public async Task HandleAsync(HttpContext http, ResourceKind kind, RequestTarget target)
    {
        var options = WriteOptions.Of(http.Request);
        var faults = new List<string>();
        var type = http.Request.ContentType?.Split(';')[0].Trim() ?? "";
        CheckType(type, kind);
        var body = await BodyDecoder.ReadAsync(http.Request, faults);
        var (stored, created) = type == ApplyYaml
            ? Apply(kind, target, body, options, faults)
            : (Patch(kind, target, type, body, options, faults), false);
        Responses.AddWarnings(http, options.Warnings);
        var renderer = new ObjectRenderer(kind, Representation.Of(http.Request), writer.Time);
        await Responses.WriteAsync(http, created ? 201 : 200, json => renderer.WriteOne(json, stored));
    }

    private StoredObject Patch(ResourceKind kind, RequestTarget target, string type, JsonNode body, WriteOptions options,
        List<string> faults) =>
        writer.Update(kind, ResourceHandler.KeyOf(target), target.Subresource, current =>
        {
            var patched = Checked(Patched(current.Content, type, body, kind), kind, target, current.Content, options, faults);
            // A patch that names no version is made again when somebody else was quicker; the version it shows is the copy's.
            if (body.At("metadata", "resourceVersion") is null && patched.ResourceVersion() == current.Content.ResourceVersion())
                patched.Metadata().Remove("resourceVersion");
            return new Changed(patched);
        }, options);

    /// <summary>The copy with the patch applied.</summary>
    public static JsonNode? Patched(JsonObject current, string type, JsonNode body, ResourceKind kind)
    {
        try
        {
            return type switch
            {
                Json => JsonPatch.Apply(current, body),
                Merge => MergePatch.Apply(current, body),
                _ when body is JsonObject patch => StrategicMergePatch.Apply(current, patch, kind.Schema.Type),
                _ => throw PatchException.BadRequest("the patch is not an object"),
            };
        }
        catch (PatchException e)
        {
            throw Refusal(e);
        }
    }

    private static ApiException Refusal(PatchException e) => new(e.Status, e.Status switch
    {
        422 => "Invalid",
        413 => "RequestEntityTooLarge",
        _ => "BadRequest",
    }, e.Message);

    /// <summary>What a patch made of an object has to be an object of the same kind and name, like a body that was sent whole.</summary>
    private static JsonObject Checked(
        JsonNode? patched, ResourceKind kind, RequestTarget target, JsonObject current, WriteOptions options, List<string> faults)
    {
        if (patched is not JsonObject obj)
            throw ApiException.BadRequest("the patch does not leave an object");
        // A custom object is stored in one version and patched in another.
        if (obj["apiVersion"].AsString() == current["apiVersion"].AsString())
            obj["apiVersion"] = kind.ApiVersion;
        if (kind.Namespaced && obj.Namespace() is { Length: > 0 } ns && ns != target.Namespace)
            throw ApiException.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        obj = BodyDecoder.ToPatched(obj, kind, options, faults);
        if (obj.Name() != target.Name)
            throw ApiException.BadRequest($"the name of the object ({obj.Name()}) does not match the name on the URL ({target.Name})");
        return obj;
    }

    private (StoredObject Stored, bool Created) Apply(
        ResourceKind kind, RequestTarget target, JsonNode body, WriteOptions options, List<string> faults)
    {
        if (body["apiVersion"].AsString() is { } version && version != kind.ApiVersion)
        {
            throw ApiException.BadRequest(
                $"Incorrect version specified in apply patch. Specified patch version: {version}, expected: {kind.ApiVersion}");
        }
        var applied = BodyDecoder.ToApplied(body, kind, options, faults);
        ResourceHandler.MatchTarget(applied, target);
        var fieldWriter = writer.WriterOf(kind, options, target.Subresource);
        var key = ResourceHandler.KeyOf(target);
        while (true)
        {
            if (store.Get(kind.GroupResource, key) is not null)
            {
                Changed Merge(StoredObject current) => Merged(current, applied, fieldWriter, options, kind);
                return (writer.Update(kind, key, target.Subresource, Merge, options), false);
            }
            if (target.Subresource.Length > 0)
                throw ApiException.NotFound(kind.GroupResource, target.Name);
            if (applied.Uid() is { Length: > 0 } uid)
            {
                throw ApiException.Conflict(kind.GroupResource, target.Name,
                    $"uid mismatch: the provided object specified uid {uid}, and no existing object was found");
            }
            try
            {
                return (writer.Create(kind, Book(null, applied, fieldWriter, options, kind), options, fieldsBooked: true), true);
            }
            catch (ApiException e) when (e.Reason == "AlreadyExists")
            {
                // Somebody else created it in between: apply to what is there.
            }
        }
    }

    private static Changed Merged(StoredObject current, JsonObject applied, FieldWriter fieldWriter, WriteOptions options,
        ResourceKind kind)
    {
        var merged = Book(current.Content, applied, fieldWriter, options, kind);
        // An applied configuration names a version only to insist on it.
        if (applied.ResourceVersion().Length == 0)
            merged.Metadata().Remove("resourceVersion");
        return new Changed(merged, FieldsBooked: true);
    }

    private static JsonObject Book(JsonObject? live, JsonObject applied, FieldWriter fieldWriter, WriteOptions options, ResourceKind kind)
    {
        try
        {
            return ManagedFields.Apply(live, applied, fieldWriter, options.Force, kind.Schema.Type);
        }
        catch (FieldConflictException e)
        {
            throw new ApiException(409, "Conflict", e.Message)
            {
                Details = new()
                {
                    ["causes"] = ApiException.Causes(e.Conflicts.Select(c => (FieldConflictException.CauseReason, c.CauseMessage, c.Path))),
                },
            };
        }
        catch (PatchException e)
        {
            throw Refusal(e);
        }
    }

    private static void CheckType(string type, ResourceKind kind)
    {
        var accepted = kind.IsCustom ? (string[])[Json, Merge, ApplyYaml] : [Json, Merge, Strategic, ApplyYaml];
        if (!accepted.Contains(type))
        {
            throw ApiException.UnsupportedMediaType(
                $"the body of the request was in an unknown format - accepted media types include: {string.Join(", ", accepted)}");
        }
    }
}
