using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Access;
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
    private static readonly GroupResource Secrets = new("", "secrets");
    private static readonly GroupResource ServiceAccounts = new("", "serviceaccounts");
    private static readonly GroupResource Definitions = new("apiextensions.k8s.io", "customresourcedefinitions");
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMilliseconds(200);

    private readonly ObjectStore _store;
    private readonly KindCatalog _catalog;
    private readonly ObjectWriter _writer;
    private readonly ObjectDeleter _deleter;
    private readonly ClusterSecrets _secrets;
    private readonly RoleAggregation _aggregation;

    public Lifecycle(ObjectStore store, KindCatalog catalog, ObjectWriter writer, ObjectDeleter deleter, ClusterSecrets secrets)
    {
        (_store, _catalog, _writer, _deleter, _secrets) = (store, catalog, writer, deleter, secrets);
        _aggregation = new RoleAggregation(store, writer);
        writer.Written += OnWritten;
        writer.Removed += OnRemoved;
    }

    /// <summary>The namespaces and roles that every cluster has.</summary>
    public void CreateDefaults()
    {
        var kind = _catalog.Find(Namespaces)!;
        foreach (var name in (string[])["default", "kube-system", "kube-public", "kube-node-lease"])
        {
            if (_store.Get(Namespaces, new ObjectKey("", name)) is null)
                _writer.Create(kind, Named(kind, name, ""), WriteOptions.Server);
        }
        foreach (var role in DefaultRoles.All())
        {
            var roleKind = _catalog.Find(new GroupResource(RoleBasedAccess.Group, role["kind"].AsString() == "ClusterRole" ? "clusterroles" : "clusterrolebindings"))!;
            if (_store.Get(roleKind.GroupResource, role.Key()) is null)
                _writer.Create(roleKind, role, WriteOptions.Server);
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
            var kinds = _catalog.All.Where(kind => kind.Namespaced && !kind.IsVirtual).DistinctBy(kind => kind.GroupResource).ToList();
            if (kinds.Sum(kind => DeleteAll(kind, ns.Key.Name)) == 0)
                Finish(Namespaces, ns, RemoveContentFinalizer);
            else
                Report(ns.Key, kinds);
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
        (obj.At("spec", "finalizers") as JsonArray ?? []).Any(finalizer => finalizer.AsString() == CoreRules.NamespaceFinalizer)
        || obj.Finalizers().Contains(DefinitionRules.CleanupFinalizer);

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

    /// <summary>Says in the conditions of a namespace what it still waits for.</summary>
    private void Report(ObjectKey ns, IReadOnlyList<ResourceKind> kinds)
    {
        var left = kinds.SelectMany(kind => _store.Snapshot(kind.GroupResource).Objects.In(ns.Name).Select(stored =>
            (kind.GroupResource, (IReadOnlyList<string>)[.. stored.Content.Finalizers()]))).ToList();
        try
        {
            _writer.Update(_catalog.Find(Namespaces)!, ns, "status", current =>
            {
                var next = current.Copy();
                NamespaceConditions.Set(next, left, _writer.Time.GetUtcNow());
                return new Changed(next);
            }, WriteOptions.Server);
        }
        catch (ApiException e) when (e.Code is 404 or 409)
        {
            // Gone or changed meanwhile: the next sweep looks again.
        }
    }

    private static void RemoveContentFinalizer(JsonObject ns)
    {
        var others = (ns.At("spec", "finalizers") as JsonArray ?? []).Select(finalizer => finalizer.AsString())
            .OfType<string>().Where(finalizer => finalizer != CoreRules.NamespaceFinalizer).ToList();
        if (others.Count > 0)
            ns.Child("spec")["finalizers"] = others.ToJsonArray();
        else
            ns.Child("spec").Remove("finalizers");
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
            Furnish(stored.Key.Name);
        if (kind.GroupResource == RoleBasedAccess.ClusterRoles)
            _aggregation.Update(kind);
        if (kind.GroupResource == Secrets)
            FillToken(kind, stored);
    }

    private void OnRemoved(ResourceKind kind, StoredObject stored)
    {
        if (kind.GroupResource == Definitions)
            _catalog.Undefine(stored.Content);
        if (kind.GroupResource == RoleBasedAccess.ClusterRoles)
            _aggregation.Update(kind);
    }

    /// <summary>What every namespace has: the account of pods that name none, and the certificate by which they know this server.</summary>
    private void Furnish(string ns)
    {
        var accounts = _catalog.Find(ServiceAccounts)!;
        if (_store.Get(ServiceAccounts, new ObjectKey(ns, "default")) is null)
            _writer.Create(accounts, Named(accounts, "default", ns), WriteOptions.Server);
        if (!_secrets.PublishesCertificate)
            return;
        var maps = _catalog.Find(new GroupResource("", "configmaps"))!;
        if (_store.Get(maps.GroupResource, new ObjectKey(ns, ClusterSecrets.RootCertificateName)) is null)
        {
            var map = Named(maps, ClusterSecrets.RootCertificateName, ns);
            map["data"] = new JsonObject { ["ca.crt"] = _secrets.RootCertificate };
            map.Metadata()["annotations"] = new JsonObject { ["kubernetes.io/description"] = ClusterSecrets.RootCertificateUse };
            _writer.Create(maps, map, WriteOptions.Server);
        }
    }

    /// <summary>A Secret that asks for the token of an account gets it.</summary>
    private void FillToken(ResourceKind kind, StoredObject secret)
    {
        if (ClusterSecrets.AccountOf(secret) is not { } name || _store.Get(ServiceAccounts, new ObjectKey(secret.Key.Namespace, name)) is not { } account)
            return;
        _writer.Update(kind, secret.Key, "", current => new Changed(_secrets.Filled(current, account)), WriteOptions.Server);
    }

    private static JsonObject Named(ResourceKind kind, string name, string ns)
    {
        var metadata = new JsonObject { ["name"] = name };
        if (ns.Length > 0)
            metadata["namespace"] = ns;
        return new JsonObject { ["apiVersion"] = kind.ApiVersion, ["kind"] = kind.Kind, ["metadata"] = metadata };
    }
}
