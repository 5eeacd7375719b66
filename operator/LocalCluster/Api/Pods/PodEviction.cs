using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Reading;
using Graft.LocalCluster.Api.Writing;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Pods;

/// <summary>
/// The eviction subresource: deletes a pod unless a PodDisruptionBudget that selects it has nothing left to give
/// (pkg/registry/core/pod/storage/eviction.go). It is how <c>kubectl drain</c> empties a node.
/// </summary>
internal sealed class PodEviction(ObjectStore store, KindCatalog catalog, ObjectWriter writer, ObjectDeleter deleter)
{
    private const string Violated = "Cannot evict pod as it would violate the pod's disruption budget.";

    /// <summary>In seconds; after so long a budget that is not up to date may be.</summary>
    private const int Retry = 10;

    private static readonly GroupResource Pods = new("", "pods");
    private static readonly GroupResource Budgets = new("policy", "poddisruptionbudgets");

    public async Task EvictAsync(HttpContext http, RequestTarget target)
    {
        var options = WriteOptions.Of(http.Request);
        if (await BodyDecoder.ReadAsync(http.Request, []) is not JsonObject eviction)
            throw ApiException.BadRequest("the object provided is not an Eviction");
        if (eviction.Name() != target.Name)
            throw ApiException.BadRequest("name in URL does not match name in Eviction object");
        var deletion = DeleteOptions.Of(eviction["deleteOptions"] as JsonObject, http.Request);
        Evict(ResourceHandler.KeyOf(target), deletion, options with { DryRun = deletion.DryRun });
        await Responses.WriteAsync(http, 201, new JsonObject
        {
            ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success", ["code"] = 201,
        });
    }

    private void Evict(ObjectKey key, DeleteOptions deletion, WriteOptions options)
    {
        var pod = store.Get(Pods, key) ?? throw ApiException.NotFound(Pods, key.Name);
        // A pod that has ended, not begun, or is on its way serves nobody: no budget can miss it.
        if (!pod.Content.IsDeleting() && pod.Content.At("status", "phase").AsString() is not ("Succeeded" or "Failed" or "Pending"))
            AskBudgets(pod, options);
        if (!deletion.DryRun && !pod.Content.IsDeleting() && Holds(pod.Content, deletion))
            MarkDisrupted(key, options);
        // The mark is a new version, so a version that the client named has been compared above.
        deleter.Delete(catalog.Find(Pods)!, key, deletion with { ResourceVersion = deletion.DryRun || pod.Content.IsDeleting() ? deletion.ResourceVersion : "" });
    }

    private static bool Holds(JsonObject pod, DeleteOptions deletion)
    {
        if (deletion.ResourceVersion.Length > 0 && deletion.ResourceVersion != pod.ResourceVersion())
        {
            throw ApiException.Conflict(Pods, pod.Name(),
                $"the ResourceVersion in the precondition ({deletion.ResourceVersion}) does not match the ResourceVersion in record " +
                $"({pod.ResourceVersion()}). The object might have been modified");
        }
        return deletion.Uid.Length == 0 || deletion.Uid == pod.Uid();
    }

    private void AskBudgets(StoredObject pod, WriteOptions options)
    {
        var budgets = store.Snapshot(Budgets).Objects.In(pod.Key.Namespace).Where(budget => Selects(budget.Content, pod)).ToList();
        if (budgets.Count > 1)
        {
            throw new ApiException(500, "",
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
        }
        if (budgets is not [var one] || SparesUnready(one.Content, pod.Content))
            return;
        if (options.DryRun)
            Taken(one, pod.Key.Name);
        else
            writer.Update(catalog.Find(Budgets)!, one.Key, "status", current => new Changed(Taken(current, pod.Key.Name)), options);
    }

    private static bool Selects(JsonObject budget, StoredObject pod) => budget.At("spec", "selector") is JsonObject selector
        && LabelRequirements.Parse(selector.Count == 0 ? "" : PrinterColumns.Selector(selector)).All(requirement => requirement(pod.Labels));

    /// <summary>A pod that is not ready does not count as healthy, so that where enough others do, or always by policy, it may go.</summary>
    private static bool SparesUnready(JsonObject budget, JsonObject pod)
    {
        if (pod.At("status", "conditions").Objects().Any(c => c["type"].AsString() == "Ready" && c["status"].AsString() == "True"))
            return false;
        var desired = budget.At("status", "desiredHealthy").AsLong() ?? 0;
        return budget.At("spec", "unhealthyPodEvictionPolicy").AsString() == "AlwaysAllow"
            || (desired > 0 && (budget.At("status", "currentHealthy").AsLong() ?? 0) >= desired);
    }

    /// <summary>The budget with one disruption less, or a refusal.</summary>
    private JsonObject Taken(StoredObject budget, string pod)
    {
        var next = budget.Copy();
        var (name, status) = (next.Name(), next.Child("status"));
        if ((status["observedGeneration"].AsLong() ?? 0) < next.Generation())
            throw ApiException.TooManyRequests(Violated, Retry, "DisruptionBudget", $"The disruption budget {name} is still being processed by the server.");
        var allowed = status["disruptionsAllowed"].AsLong() ?? 0;
        if (allowed <= 0)
        {
            var (desired, current) = (status["desiredHealthy"].AsLong() ?? 0, status["currentHealthy"].AsLong() ?? 0);
            throw ApiException.TooManyRequests(Violated, 0, "DisruptionBudget",
                $"The disruption budget {name} needs {desired} healthy pods and has {current} currently");
        }
        status["disruptionsAllowed"] = allowed - 1;
        // Until the pod is gone, the budget's controller knows by this that it will be.
        status.Child("disruptedPods")[pod] = writer.Time.GetUtcNow().ToTimestamp();
        next.Metadata()["resourceVersion"] = "";
        return next;
    }

    private void MarkDisrupted(ObjectKey key, WriteOptions options) => writer.Update(catalog.Find(Pods)!, key, "status", current =>
    {
        var next = current.Copy();
        next.Metadata()["resourceVersion"] = "";
        var conditions = next.At("status", "conditions").Objects().Where(c => c["type"].AsString() != "DisruptionTarget").Select(c => c.DeepClone());
        next.Child("status")["conditions"] = new JsonArray([.. conditions, new JsonObject
        {
            ["type"] = "DisruptionTarget", ["status"] = "True", ["lastProbeTime"] = null,
            ["lastTransitionTime"] = writer.Time.GetUtcNow().ToTimestamp(),
            ["reason"] = "EvictionByEvictionAPI", ["message"] = "Eviction API: evicting",
        }]);
        return new Changed(next);
    }, options);
}
