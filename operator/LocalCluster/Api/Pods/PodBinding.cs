using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Writing;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Pods;

/// <summary>The binding subresource, by which a scheduler gives a pod its node once and for all (pkg/registry/core/pod/storage).</summary>
internal sealed class PodBinding(KindCatalog catalog, ObjectWriter writer)
{
    private static readonly GroupResource Pods = new("", "pods");

    public async Task BindAsync(HttpContext http, RequestTarget target)
    {
        var options = WriteOptions.Of(http.Request);
        if (await BodyDecoder.ReadAsync(http.Request, []) is not JsonObject binding)
            throw ApiException.BadRequest("the object provided is not a Binding");
        if (binding.Name() != target.Name)
            throw ApiException.BadRequest("name in URL does not match name in Binding object");
        var kind = catalog.Find(Pods)!;
        Validate(kind, binding);
        writer.Update(kind, ResourceHandler.KeyOf(target), "", current => Bound(current, binding), options);
        await Responses.WriteAsync(http, 201, new JsonObject
        {
            ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success", ["code"] = 201,
        });
    }

    private static void Validate(ResourceKind kind, JsonObject binding)
    {
        var errors = new List<FieldError>();
        if (binding.At("target", "kind").AsString() is { Length: > 0 } what and not "Node")
            errors.Add(FieldError.NotSupported("target.kind", what, ["Node", "<empty>"]));
        if (binding.At("target", "name").AsString() is not { Length: > 0 })
            errors.Add(FieldError.Required("target.name"));
        if (errors.Count > 0)
            throw ApiException.Invalid(kind with { Kind = "Binding" }, binding.Name(), errors);
    }

    private Changed Bound(StoredObject current, JsonObject binding)
    {
        var pod = current.Copy();
        var name = pod.Name();
        if (binding.Uid() is { Length: > 0 } uid && uid != pod.Uid())
        {
            throw ApiException.Conflict(Pods, name,
                $"Precondition failed: UID in precondition: {uid}, UID in object meta: {pod.Uid()}");
        }
        if (pod.IsDeleting())
            throw Refused(name, $"pod {name} is being deleted, cannot be assigned to a host");
        var spec = pod.Child("spec");
        if (spec["nodeName"].AsString() is { Length: > 0 } node)
            throw Refused(name, $"pod {name} is already assigned to node \"{node}\"");
        if (spec["schedulingGates"] is JsonArray { Count: > 0 })
            throw Refused(name, $"pod {name} has non-empty .spec.schedulingGates");
        spec["nodeName"] = binding.At("target", "name").AsString();
        if (binding.At("metadata", "annotations") is JsonObject annotations)
        {
            foreach (var (key, value) in annotations)
                pod.Metadata().Child("annotations")[key] = value?.DeepClone();
        }
        var status = pod.Child("status");
        var conditions = new JsonArray([.. status["conditions"].Objects().Where(c => c["type"].AsString() != "PodScheduled")
            .Select(c => c.DeepClone())]);
        conditions.Add(new JsonObject
        {
            ["type"] = "PodScheduled", ["status"] = "True", ["lastProbeTime"] = null, ["lastTransitionTime"] = writer.Time.GetUtcNow().ToTimestamp(),
        });
        status["conditions"] = conditions;
        return new Changed(pod, IsServers: true);
    }

    private static ApiException Refused(string pod, string why) => ApiException.Conflict(new GroupResource("", "pods/binding"), pod, why);
}
