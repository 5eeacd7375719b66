using System.Text.Json.Nodes;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Writing;

/// <summary>metav1.DeleteOptions, from the body or the query.</summary>
internal sealed record DeleteOptions(bool DryRun, long? GracePeriodSeconds, string PropagationPolicy, string Uid, string ResourceVersion)
{
    public static DeleteOptions Background { get; } = new(false, null, "Background", "", "");

    public static DeleteOptions Of(JsonObject? body, HttpRequest request)
    {
        var policy = body?["propagationPolicy"].AsString() ?? request.Query["propagationPolicy"].ToString();
        var errors = new List<FieldError>();
        if (policy.Length > 0 && body?["orphanDependents"] is not null)
            errors.Add(FieldError.Invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set"));
        if (policy is not ("" or "Background" or "Foreground" or "Orphan"))
            errors.Add(FieldError.NotSupported("propagationPolicy", policy, ["Foreground", "Background", "Orphan", "nil"]));
        var dryRun = body?["dryRun"].Strings() is { Count: > 0 } asked ? asked : request.Query["dryRun"].OfType<string>().ToList();
        errors.AddRange(dryRun.Where(value => value != "All").Select(value => FieldError.NotSupported("dryRun", value, ["All"])));
        if (errors.Count > 0)
            throw ApiException.InvalidOptions("DeleteOptions", errors);
        if (policy.Length == 0 && body?["orphanDependents"] is { } orphan)
            policy = orphan.AsBool() ? "Orphan" : "Background";
        var grace = body?["gracePeriodSeconds"].AsLong()
            ?? (long.TryParse(request.Query["gracePeriodSeconds"], out var seconds) ? seconds : null);
        return new DeleteOptions(
            dryRun.Count > 0,
            grace < 0 ? 1 : grace,
            policy,
            body.At("preconditions", "uid").AsString() ?? "",
            body.At("preconditions", "resourceVersion").AsString() ?? "");
    }
}

/// <summary>What is left of an object after it was asked to go.</summary>
/// <param name="Gone">It is not there any more; else it waits for its finalizers or its grace period.</param>
internal sealed record Deletion(StoredObject Object, bool Gone);

/// <summary>Deletes objects: at once, or in steps where finalizers, dependents or a grace period ask for it.</summary>
internal sealed class ObjectDeleter(ObjectStore store, ObjectWriter writer)
{
    private const string ForegroundFinalizer = "foregroundDeletion";
    private const string OrphanFinalizer = "orphan";

    public Deletion Delete(ResourceKind kind, ObjectKey key, DeleteOptions options)
    {
        while (true)
        {
            var current = store.Get(kind.GroupResource, key) ?? throw ApiException.NotFound(kind.GroupResource, key.Name);
            if (kind is { Group: "", Plural: "namespaces" } && key.Name is "default" or "kube-system" or "kube-public")
                throw ApiException.Forbidden(kind.GroupResource, key.Name, "this namespace may not be deleted");
            CheckPreconditions(kind, current, options);
            var next = Marked(kind, current, options);
            try
            {
                return Commit(kind, current, next, options);
            }
            catch (WriteConflictException)
            {
                // Changed in between: decide again on what is there now.
            }
        }
    }

    private Deletion Commit(ResourceKind kind, StoredObject current, JsonObject next, DeleteOptions options)
    {
        if (ObjectWriter.EndsDeletion(next))
        {
            if (options.DryRun)
                return new Deletion(current, true);
            var removed = store.Remove(kind.GroupResource, current, next);
            writer.ReportRemoved(kind, removed);
            return new Deletion(removed, true);
        }
        if (options.DryRun || JsonNode.DeepEquals(next, current.Content))
            return new Deletion(new StoredObject(current.Key, next, current.ResourceVersion), false);
        return new Deletion(store.Replace(kind.GroupResource, current, next), false);
    }

    /// <summary>The object with its end written into its metadata.</summary>
    private JsonObject Marked(ResourceKind kind, StoredObject current, DeleteOptions options)
    {
        var next = current.Copy();
        var metadata = next.Metadata();
        var grace = GraceOf(kind, next, options);
        if (!next.IsDeleting())
        {
            metadata["deletionTimestamp"] = (writer.Time.GetUtcNow() + TimeSpan.FromSeconds(grace)).ToTimestamp();
            metadata["deletionGracePeriodSeconds"] = grace;
            if (next.Generation() > 0)
                metadata["generation"] = next.Generation() + 1;
        }
        else if (grace < (metadata["deletionGracePeriodSeconds"].AsLong() ?? 0))
        {
            metadata["deletionTimestamp"] = (writer.Time.GetUtcNow() + TimeSpan.FromSeconds(grace)).ToTimestamp();
            metadata["deletionGracePeriodSeconds"] = grace;
        }
        var finalizers = next.Finalizers().ToList();
        if (options.PropagationPolicy.Length > 0)
            finalizers.RemoveAll(finalizer => finalizer is ForegroundFinalizer or OrphanFinalizer);
        if (options.PropagationPolicy == "Foreground")
            finalizers.Add(ForegroundFinalizer);
        if (options.PropagationPolicy == "Orphan")
            finalizers.Add(OrphanFinalizer);
        if (finalizers.Count > 0)
            metadata["finalizers"] = finalizers.ToJsonArray();
        else
            metadata.Remove("finalizers");
        if (kind is { Group: "", Plural: "namespaces" })
            next.Child("status")["phase"] = "Terminating";
        return next;
    }

    /// <summary>Only pods that a node runs have a grace period: there is somebody to end them.</summary>
    private static long GraceOf(ResourceKind kind, JsonObject obj, DeleteOptions options)
    {
        if (!kind.DeletesGracefully || obj.At("spec", "nodeName").AsString() is not { Length: > 0 }
            || obj.At("status", "phase").AsString() is "Succeeded" or "Failed")
            return 0;
        return options.GracePeriodSeconds ?? obj.At("spec", "terminationGracePeriodSeconds").AsLong() ?? 30;
    }

    private static void CheckPreconditions(ResourceKind kind, StoredObject current, DeleteOptions options)
    {
        if (options.Uid.Length > 0 && options.Uid != current.Content.Uid())
        {
            throw ApiException.Conflict(kind.GroupResource, current.Key.Name,
                $"the UID in the precondition ({options.Uid}) does not match the UID in record ({current.Content.Uid()}). " +
                "The object might have been deleted and then recreated");
        }
        var version = current.Content.ResourceVersion();
        if (options.ResourceVersion.Length > 0 && options.ResourceVersion != version)
        {
            throw ApiException.Conflict(kind.GroupResource, current.Key.Name,
                $"the ResourceVersion in the precondition ({options.ResourceVersion}) does not match the ResourceVersion in record ({version}). " +
                "The object might have been modified");
        }
    }
}
