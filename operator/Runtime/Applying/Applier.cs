using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graft.Runtime;

/// <summary>
/// Carries out plans. An object is applied (server-side, own field manager) only when that would change something: when the digest of
/// what was last applied, kept in an annotation, is another one, or when the cached object lacks a field that is wanted (somebody
/// changed it). The digest notices fields that are no longer wanted, the comparison notices drift; neither alone does both. An
/// apply that changed nothing is remembered until the object changes, so what the server writes differently is not applied in a loop.
/// </summary>
public sealed class Applier(InformerSet informers, EventRecorder events, ILogger<Applier>? logger = null)
{
    /// <summary>Digest of the object as it was last applied.</summary>
    public const string DigestAnnotation = "graft.dev/applied-digest";

    private readonly ILogger _logger = (ILogger?)logger ?? NullLogger.Instance;
    private readonly LruCache<(Type, ObjectKey), Settled> _settled = new(4096);

    public async Task<ReconciliationResult<T>> ExecuteAsync<T, TStatus>(T entity, Plan<TStatus> plan, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>, IStatus<TStatus?> where TStatus : class
    {
        try
        {
            foreach (var desired in plan.Apply)
                await ApplyAsync(entity, desired, ct).ConfigureAwait(false);
            foreach (var unwanted in plan.Delete)
                await DeleteAsync(unwanted, ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e is { IsTransient: false, IsConflict: false })
        {
            if (plan.StatusWhenRefused is { } refused)
                await WriteStatusAsync(entity, refused(e), ct).ConfigureAwait(false);
            events.Publish(entity, "ApplyRefused", e.Message, EventType.Warning);
            return ReconciliationResult<T>.Failure(entity, e.Message, e);
        }

        if (plan.Status is not null)
            entity = await WriteStatusAsync(entity, plan.Status, ct).ConfigureAwait(false);
        foreach (var e in plan.Events)
            events.Publish(entity, e.Reason, e.Message, e.Type);
        return ReconciliationResult<T>.Success(entity, plan.RequeueAfter);
    }

    /// <summary>Writes the status when it differs from the entity's, against the version that the entity was read at.</summary>
    public async Task<T> WriteStatusAsync<T, TStatus>(T entity, TStatus status, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>, IStatus<TStatus?> where TStatus : class
    {
        var old = ObjectJson.ToNode(entity.Status) as JsonObject ?? [];
        if (ObjectDiff.MergePatch(old, (JsonObject)ObjectJson.ToNode(status)!) is not { } change)
            return entity;
        var patch = new JsonObject
        {
            // A status concluded from a stale object must not overwrite a newer one: such a write is a conflict and is decided again.
            ["metadata"] = new JsonObject { ["resourceVersion"] = entity.Metadata.ResourceVersion },
            ["status"] = change,
        };
        var written = await informers.Client.Resource<T>()
            .PatchStatusAsync(entity.Metadata.Name, entity.Metadata.NamespaceProperty, Patch.Merge(patch), null, ct).ConfigureAwait(false);
        informers.RecordWrite(written);
        return written;
    }

    /// <summary>Makes one object be as desired, owned by the entity.</summary>
    /// <returns>Whether anything was written.</returns>
    public async Task<bool> ApplyAsync(IKubernetesObject<V1ObjectMeta> owner, IKubernetesObject<V1ObjectMeta> desired, CancellationToken ct)
    {
        var type = desired.GetType();
        var json = Prepare(owner, desired);
        var digest = (string)json["metadata"]!["annotations"]![DigestAnnotation]!;
        var key = ObjectKey.Of(desired);
        var client = informers.Client.Resource(ResourceKind.Of(type));
        var live = await LiveAsync(client, type, key, ct).ConfigureAwait(false);
        var version = (string?)live?["metadata"]?["resourceVersion"] ?? "";
        if (live is not null)
        {
            if (SettledOf(type, key) is { } settled && settled.Digest == digest && settled.Version == version)
                return false;
            if (Difference(json, live, digest) is not { } difference)
                return false;
            if (!MayTakeOver(live, owner))
                throw NameTaken(ResourceKind.Of(type), key);
            _logger.LogInformation("Applying {Kind} {Key}: {Difference}", ResourceKind.Of(type).Kind, key, difference);
        }

        var written = await client.ApplyAsync(json, null, ct).ConfigureAwait(false);
        foreach (var known in informers.Of(type))
            known.RecordWrite(written);
        var after = (string?)written["metadata"]?["resourceVersion"] ?? "";
        var now = SettledOf(type, key);
        (now.Digest, now.Version) = (digest, after);
        return after != version;
    }

    /// <summary>Why an apply is needed, in words; null when it is not.</summary>
    private static string? Difference(JsonObject desired, JsonObject live, string digest)
    {
        var annotations = (JsonObject)desired["metadata"]!["annotations"]!;
        annotations.Remove(DigestAnnotation);
        var missing = ObjectDiff.FirstMissing(desired, live);
        annotations[DigestAnnotation] = digest;
        return missing ?? ((string?)live["metadata"]?["annotations"]?[DigestAnnotation] == digest ? null : "a field is no longer wanted");
    }

    /// <summary>From a cache where one has it; from the server where no cache can say that there is none.</summary>
    private async Task<JsonObject?> LiveAsync(ResourceClient<JsonObject> client, Type type, ObjectKey key, CancellationToken ct)
    {
        var synced = informers.Of(type).Where(i => i.HasSynced).ToArray();
        if (synced.Select(i => i.FindObject(key)).FirstOrDefault(o => o is not null) is { } cached)
            return ObjectJson.ToJson(cached);
        return synced.Any(i => i.HoldsAll(key.Namespace)) ? null : await client.GetAsync(key.Name, key.Namespace, ct).ConfigureAwait(false);
    }

    private Settled SettledOf(Type type, ObjectKey key)
    {
        lock (_settled)
            return _settled.GetOrAdd((type, key), static () => new Settled());
    }

    private async Task DeleteAsync(IKubernetesObject<V1ObjectMeta> unwanted, CancellationToken ct)
    {
        var kind = ResourceKind.Of(unwanted.GetType());
        try
        {
            await informers.Client.Resource(kind).DeleteAsync(
                unwanted.Metadata.Name, unwanted.Metadata.NamespaceProperty, new DeleteOptions { Uid = unwanted.Metadata.Uid }, ct)
                .ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsConflict)
        {
            // Another incarnation has the name: the one that was meant is gone.
            _logger.LogDebug("{Kind} {Name} is another one by now", kind.Kind, unwanted.Metadata.Name);
        }
    }

    private static JsonObject Prepare(IKubernetesObject<V1ObjectMeta> owner, IKubernetesObject<V1ObjectMeta> desired)
    {
        var json = ObjectJson.ToJson(desired);
        json.Remove("status");
        var meta = (JsonObject)json["metadata"]!;
        meta["ownerReferences"] = new JsonArray(ObjectJson.ToNode(Owners.Reference(owner)));
        if (meta["annotations"] is not JsonObject annotations)
            meta["annotations"] = annotations = [];
        annotations.Remove(DigestAnnotation);
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(json.ToJsonString()));
        annotations[DigestAnnotation] = Convert.ToHexStringLower(digest.AsSpan(0, 16));
        return json;
    }

    /// <summary>Only what this operator made: never another owner's object, nor one that a person made under the same name.</summary>
    private static bool MayTakeOver(JsonObject live, IKubernetesObject<V1ObjectMeta> owner) =>
        (live["metadata"]?["ownerReferences"] as JsonArray)?.FirstOrDefault(r => r?["controller"]?.GetValue<bool>() == true) is { } controller
            ? (string?)controller["uid"] == owner.Metadata.Uid
            : live["metadata"]?["annotations"]?[DigestAnnotation] is not null;

    private static ApiException NameTaken(ResourceKind kind, ObjectKey key)
    {
        var message = $"{kind.Kind} {key} exists and was not made for this object; delete it or choose another name.";
        return new ApiException(HttpStatusCode.Conflict, new ApiStatus(409, "AlreadyExists", message, key.Name, kind.Kind, [], null), $"apply {kind.Kind}");
    }

    /// <summary>The last apply of an object: what was wanted and the version that came of it.</summary>
    private sealed class Settled
    {
        public string Digest { get; set; } = "";

        public string Version { get; set; } = "";
    }
}
