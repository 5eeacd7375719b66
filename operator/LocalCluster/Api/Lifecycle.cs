using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Writing;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api;

/// <summary>
/// What follows from writes of namespaces and definitions: a namespace has a default service account, a definition serves its kind, and
/// both end only after everything in them has ended.
/// </summary>
internal sealed class Lifecycle
{
    private static readonly GroupResource Namespaces = new("", "namespaces");
    private static readonly GroupResource Definitions = new("apiextensions.k8s.io", "customresourcedefinitions");
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMilliseconds(200);

    private readonly ObjectStore _store;
    private readonly KindCatalog _catalog;
    private readonly ObjectWriter _writer;
    private readonly ObjectDeleter _deleter;

    public Lifecycle(ObjectStore store, KindCatalog catalog, ObjectWriter writer, ObjectDeleter deleter)
    {
        (_store, _catalog, _writer, _deleter) = (store, catalog, writer, deleter);
        writer.Written += OnWritten;
        writer.Removed += OnRemoved;
    }

    /// <summary>The namespaces that every cluster has.</summary>
    public void CreateNamespaces()
    {
        var kind = _catalog.Find(Namespaces)!;
        foreach (var name in (string[])["default", "kube-system", "kube-public", "kube-node-lease"])
        {
            if (_store.Get(Namespaces, new ObjectKey("", name)) is null)
                _writer.Create(kind, Named(kind, name, ""), WriteOptions.Server);
        }
    }

    /// <summary>Takes over what an earlier life left: its objects, and the kinds that its definitions serve.</summary>
    public void Restore(StoredContent content)
    {
        _store.Restore(content);
        foreach (var definition in _store.Snapshot(Definitions).Objects.All)
            _catalog.Define(definition.Content);
    }

    /// <summary>Empties and ends what is marked for deletion, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            // Taken before looking, so that nothing that comes meanwhile is missed.
            var namespaceChanged = NextChange(Namespaces);
            var definitionChanged = NextChange(Definitions);
            var pending = Sweep();
            var wait = Task.Delay(pending ? SweepInterval : Timeout.InfiniteTimeSpan, _writer.Time, cancellation);
            await Task.WhenAny(namespaceChanged, definitionChanged, wait);
        }
    }

    private Task NextChange(GroupResource resource)
    {
        var place = _store.Events(resource).End;
        _store.Events(resource).Read(ref place, "", out var appended);
        return appended;
    }

    private bool Sweep()
    {
        var pending = false;
        foreach (var ns in Ending(Namespaces))
        {
            var left = _catalog.All.Where(kind => kind.Namespaced && !kind.IsVirtual).DistinctBy(kind => kind.GroupResource)
                .Sum(kind => DeleteAll(kind, ns.Key.Name));
            if (left == 0)
                Finish(Namespaces, ns, obj => obj.Child("spec").Remove("finalizers"));
            pending = true;
        }
        foreach (var definition in Ending(Definitions))
        {
            var kind = _catalog.Find(KindCatalog.ResourceOf(definition.Content));
            if (kind is null || DeleteAll(kind, "") == 0)
                Finish(Definitions, definition, RemoveCleanup);
            pending = true;
        }
        return pending;
    }

    private List<StoredObject> Ending(GroupResource resource) =>
        [.. _store.Snapshot(resource).Objects.All.Where(stored => stored.Content.IsDeleting() && HoldsContent(stored.Content))];

    /// <summary>Whether it still waits for its content; other finalizers are not ours.</summary>
    private static bool HoldsContent(JsonObject obj) =>
        obj.At("spec", "finalizers") is JsonArray { Count: > 0 } || obj.Finalizers().Contains(DefinitionRules.CleanupFinalizer);

    /// <returns>How many are left, in a namespace or in all when it is empty.</returns>
    private int DeleteAll(ResourceKind kind, string ns)
    {
        var found = _store.Snapshot(kind.GroupResource).Objects;
        foreach (var stored in found.In(ns).Where(stored => !stored.Content.IsDeleting()))
        {
            try
            {
                _deleter.Delete(kind, stored.Key, DeleteOptions.Background);
            }
            catch (ApiException e) when (e.Code == 404)
            {
                // Went on its own meanwhile.
            }
        }
        return found.CountIn(ns) == 0 ? 0 : _store.Snapshot(kind.GroupResource).Objects.CountIn(ns);
    }

    private void Finish(GroupResource resource, StoredObject stored, Action<JsonObject> release)
    {
        var next = stored.Copy();
        release(next);
        try
        {
            if (!ObjectWriter.EndsDeletion(next))
            {
                _store.Replace(resource, stored, next);
                return;
            }
            // Before the definition itself, so that a kind is never served without one.
            if (resource == Definitions)
                _catalog.Undefine(stored.Content);
            _writer.ReportRemoved(_catalog.Find(resource)!, _store.Remove(resource, stored, next));
        }
        catch (WriteConflictException)
        {
            // Changed meanwhile: the next sweep looks again.
        }
    }

    private static void RemoveCleanup(JsonObject definition)
    {
        var others = definition.Finalizers().Where(finalizer => finalizer != DefinitionRules.CleanupFinalizer).ToList();
        if (others.Count > 0)
            definition.Metadata()["finalizers"] = others.ToJsonArray();
        else
            definition.Metadata().Remove("finalizers");
    }

    private void OnWritten(ResourceKind kind, StoredObject stored)
    {
        if (kind.GroupResource == Definitions)
            _catalog.Define(stored.Content);
        if (kind.GroupResource == Namespaces && !stored.Content.IsDeleting())
            CreateServiceAccount(stored.Key.Name);
    }

    private void OnRemoved(ResourceKind kind, StoredObject stored)
    {
        if (kind.GroupResource == Definitions)
            _catalog.Undefine(stored.Content);
    }

    private void CreateServiceAccount(string ns)
    {
        var kind = _catalog.Find(new GroupResource("", "serviceaccounts"))!;
        if (_store.Get(kind.GroupResource, new ObjectKey(ns, "default")) is null)
            _writer.Create(kind, Named(kind, "default", ns), WriteOptions.Server);
    }

    private static JsonObject Named(ResourceKind kind, string name, string ns)
    {
        var metadata = new JsonObject { ["name"] = name };
        if (ns.Length > 0)
            metadata["namespace"] = ns;
        return new JsonObject { ["apiVersion"] = kind.ApiVersion, ["kind"] = kind.Kind, ["metadata"] = metadata };
    }
}
