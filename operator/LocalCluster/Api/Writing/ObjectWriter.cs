using System.Text.Json.Nodes;
using Graft.LocalCluster.Admission;
using Graft.LocalCluster.Apply;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Writing;

/// <summary>What a change makes of an object.</summary>
/// <param name="FieldsBooked">The field owners are up to date already, because server-side apply made the object.</param>
/// <param name="IsServers">The server itself changes spec and status together, and no rule about what writers may change holds.</param>
internal readonly record struct Changed(JsonObject Value, bool FieldsBooked = false, bool IsServers = false);

/// <summary>
/// Creates and updates objects of any kind: defaults, field ownership, generation, validation, optimistic concurrency. Every write of the
/// server goes through here or <see cref="ObjectDeleter"/>.
/// </summary>
internal sealed class ObjectWriter(ObjectStore store, RuleContext rules, IReadOnlyList<IAdmission> admission)
{
    private const int MaxAttempts = 100;

    private static readonly string[] SetByServer =
        ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink", "resourceVersion"];

    /// <summary>Called after each committed create and update.</summary>
    public event Action<ResourceKind, StoredObject>? Written;

    /// <summary>Called by <see cref="ObjectDeleter"/> and by updates that end a deletion.</summary>
    public event Action<ResourceKind, StoredObject>? Removed;

    public TimeProvider Time => rules.Time;

    public void ReportRemoved(ResourceKind kind, StoredObject removed) => Removed?.Invoke(kind, removed);

    /// <summary>Creates the object; it is the caller's no longer.</summary>
    /// <exception cref="ApiException">409 for a taken name, 422 for an invalid object, 404 or 403 for a namespace that is not there or
    /// ends.</exception>
    public StoredObject Create(ResourceKind kind, JsonObject obj, WriteOptions options, bool fieldsBooked = false)
    {
        PrepareMetadata(kind, obj);
        CheckNamespace(kind, obj);
        Defaulting.Apply(obj, kind.Schema.Type);
        kind.Rules.Default?.Invoke(obj);
        if (kind.HasStatus)
            obj.Remove("status");
        kind.Rules.OnCreate?.Invoke(obj, rules);
        Admit(new AdmissionRequest(kind, obj, null, "", options.Requester, options.Warnings));
        Validate(kind, obj, null);
        if (!fieldsBooked)
            obj = ManagedFields.Update(null, obj, WriterOf(kind, options, ""), kind.Schema.Type);
        if (options.DryRun && store.Get(kind.GroupResource, obj.Key()) is null)
            return new StoredObject(obj.Key(), obj, 0);
        try
        {
            var stored = store.Insert(kind.GroupResource, obj.Key(), obj);
            Written?.Invoke(kind, stored);
            return stored;
        }
        catch (WriteConflictException e)
        {
            var why = e.Actual?.Content.IsDeleting() == true ? "object is being deleted: " : "";
            throw ApiException.AlreadyExists(kind.GroupResource, obj.Name(), why);
        }
    }

    /// <summary>
    /// Replaces an object by what <paramref name="change"/> makes of its copy. A change that names a resourceVersion succeeds only against
    /// that version; another is made again when somebody else was quicker.
    /// </summary>
    /// <param name="subresource">Empty, or <c>status</c>.</param>
    public StoredObject Update(ResourceKind kind, ObjectKey key, string subresource, Func<StoredObject, Changed> change,
        WriteOptions options)
    {
        for (var attempt = 1; ; attempt++)
        {
            var current = store.Get(kind.GroupResource, key) ?? throw ApiException.NotFound(kind.GroupResource, key.Name);
            var (next, booked, servers) = change(current);
            var named = next.ResourceVersion();
            CheckVersion(kind, current, next);
            next = Prepare(kind, current.Content, next, subresource, servers);
            if (!servers)
            {
                Admit(new AdmissionRequest(kind, next, current.Content, subresource, options.Requester, options.Warnings));
                Validate(kind, next, current.Content);
            }
            if (!booked)
                next = ManagedFields.Update(current.Content, next, WriterOf(kind, options, subresource), kind.Schema.Type);
            if (JsonNode.DeepEquals(next, current.Content))
                return current;
            if (options.DryRun)
                return new StoredObject(key, next, current.ResourceVersion);
            try
            {
                return Commit(kind, current, next);
            }
            catch (WriteConflictException) when (named.Length == 0 && attempt < MaxAttempts)
            {
                // Somebody else wrote in between, and the change did not insist on what it read: make it again on what is there now.
            }
            catch (WriteConflictException)
            {
                throw ApiException.Modified(kind.GroupResource, key.Name);
            }
        }
    }

    private void Admit(AdmissionRequest request)
    {
        foreach (var plugin in admission)
            plugin.Admit(request);
    }

    public static bool EndsDeletion(JsonObject obj) => obj.IsDeleting() && obj.Finalizers().Count == 0
        && obj.At("metadata", "deletionGracePeriodSeconds").AsLong() is null or 0
        && obj.At("spec", "finalizers") is not JsonArray { Count: > 0 };

    private StoredObject Commit(ResourceKind kind, StoredObject current, JsonObject next)
    {
        if (EndsDeletion(next))
        {
            var removed = store.Remove(kind.GroupResource, current, next);
            Removed?.Invoke(kind, removed);
            return removed;
        }
        var stored = store.Replace(kind.GroupResource, current, next);
        Written?.Invoke(kind, stored);
        return stored;
    }

    /// <summary>The writer for the books of field ownership, with the parts of the object that this endpoint leaves alone.</summary>
    public FieldWriter WriterOf(ResourceKind kind, WriteOptions options, string subresource)
    {
        IReadOnlyList<string> others = subresource == "status"
            ? [.. kind.Schema.Type.Properties.Keys.Append("metadata").Except(["apiVersion", "kind", "status"])]
            : kind.HasStatus ? ["status"] : [];
        return new(options.Manager, kind.ApiVersion, subresource, rules.Time.GetUtcNow()) { ResetFields = others };
    }

    private void PrepareMetadata(ResourceKind kind, JsonObject obj)
    {
        var metadata = obj.Metadata();
        if (obj.ResourceVersion().Length > 0)
            throw new ApiException(500, "", "resourceVersion should not be set on objects to be created");
        if (obj.Name().Length == 0 && metadata["generateName"].AsString() is { Length: > 0 } prefix)
            metadata["name"] = NameGenerator.Generate(prefix);
        foreach (var serverSet in SetByServer)
            metadata.Remove(serverSet);
        DropEmpty(metadata);
        if (!kind.Namespaced)
            metadata.Remove("namespace");
        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = rules.Time.GetUtcNow().ToTimestamp();
        if (kind.CountsGenerations)
            metadata["generation"] = 1;
    }

    private void CheckNamespace(ResourceKind kind, JsonObject obj)
    {
        if (!kind.Namespaced)
            return;
        var ns = store.Get(new GroupResource("", "namespaces"), new ObjectKey("", obj.Namespace()))
            ?? throw ApiException.NotFound(new GroupResource("", "namespaces"), obj.Namespace());
        if (ns.Content.IsDeleting())
        {
            var refusal = ApiException.Forbidden(kind.GroupResource, obj.Name(),
                $"unable to create new content in namespace {obj.Namespace()} because it is being terminated");
            refusal.Details!["causes"] = ApiException.Causes(
                [("NamespaceTerminating", $"namespace {obj.Namespace()} is being terminated", "metadata.namespace")]);
            throw refusal;
        }
    }

    private static void CheckVersion(ResourceKind kind, StoredObject current, JsonObject next)
    {
        var named = next.ResourceVersion();
        if (named.Length == 0 || named == current.Content.ResourceVersion())
            return;
        if (!long.TryParse(named, out _))
            throw ApiException.Invalid(
                kind, current.Key.Name, [FieldError.Invalid("metadata.resourceVersion", named, "must be a whole number")]);
        throw ApiException.Modified(kind.GroupResource, current.Key.Name);
    }

    /// <summary>The object to store: what the writer may not change is as it was, what the server decides is decided.</summary>
    private static JsonObject Prepare(ResourceKind kind, JsonObject current, JsonObject next, string subresource, bool isServers)
    {
        if (subresource == "status")
        {
            var withStatus = (JsonObject)current.DeepClone();
            if (next["status"] is null)
                withStatus.Remove("status");
            else
                withStatus["status"] = next["status"]!.DeepClone();
            if (next.At("metadata", "managedFields") is { } managed)
                withStatus.Metadata()["managedFields"] = managed.DeepClone();
            next = withStatus;
        }
        else if (kind.HasStatus && !isServers)
        {
            next.Remove("status");
            if (current["status"] is { } status)
                next["status"] = status.DeepClone();
        }
        var metadata = next.Metadata();
        foreach (var serverSet in SetByServer)
            Restore(metadata, current, serverSet);
        if (next.Uid().Length == 0)
            Restore(metadata, current, "uid");
        DropEmpty(metadata);
        next["apiVersion"] = kind.ApiVersion;
        next["kind"] = kind.Kind;
        Defaulting.Apply(next, kind.Schema.Type);
        kind.Rules.Default?.Invoke(next);
        var finalizers = next.At("spec", "finalizers")?.DeepClone();
        kind.Rules.OnUpdate?.Invoke(next, current);
        if (subresource == "finalize")
            next.Child("spec")["finalizers"] = finalizers;
        if (kind.CountsGenerations && subresource.Length == 0 && !isServers
            && !JsonNode.DeepEquals(Desired(kind, next), Desired(kind, current)))
            metadata["generation"] = current.Generation() + 1;
        return next;
    }

    /// <summary>Empty lists of metadata are absent lists.</summary>
    private static void DropEmpty(JsonObject metadata)
    {
        foreach (var list in (string[])["ownerReferences", "finalizers"])
        {
            if (metadata[list] is JsonArray { Count: 0 })
                metadata.Remove(list);
        }
    }

    private static void Restore(JsonObject metadata, JsonObject current, string field)
    {
        if (current.At("metadata", field) is { } value)
            metadata[field] = value.DeepClone();
        else
            metadata.Remove(field);
    }

    /// <summary>The part of an object whose changes count as a new generation.</summary>
    private static JsonObject Desired(ResourceKind kind, JsonObject obj)
    {
        if (!kind.IsCustom)
        {
            return new JsonObject
            {
                ["spec"] = obj["spec"]?.DeepClone(),
                ["annotations"] = kind.CountsAnnotations ? obj.At("metadata", "annotations")?.DeepClone() : null,
            };
        }
        var desired = (JsonObject)obj.DeepClone();
        foreach (var other in (string[])["metadata", "apiVersion", "kind"])
            desired.Remove(other);
        if (kind.HasStatus)
            desired.Remove("status");
        return desired;
    }

    private static void Validate(ResourceKind kind, JsonObject obj, JsonObject? old)
    {
        var errors = new List<FieldError>(ObjectMetadata.Validate(obj, kind.Namespaced, kind.Names));
        if (old is not null)
            errors.AddRange(ObjectMetadata.ValidateUpdate(obj, old));
        if (kind.IsCustom)
        {
            var faults = SchemaValidator.Validate(obj, old, kind.Schema.Type);
            errors.AddRange(faults);
            // Rules may rely on the types that the schema promises.
            if (faults.Count == 0 && kind.Schema.Rules is not null)
                errors.AddRange(kind.Schema.Rules.Validate(obj, old));
        }
        kind.Rules.Validate?.Invoke(obj, errors);
        if (old is not null)
            kind.Rules.ValidateUpdate?.Invoke(obj, old, errors);
        if (errors.Count > 0)
            throw ApiException.Invalid(kind, obj.Name(), errors);
    }
}
