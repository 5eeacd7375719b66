using Graft.Runtime;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Graft.LocalCluster.Controllers;

/// <summary>What every controller of the cluster works with. They know the API only over HTTP, as on any cluster.</summary>
internal sealed record ControlPlane(ApiClient Client, InformerSet Informers, TimeProvider Time, ILoggerFactory Loggers)
{
    public DateTimeOffset Now => Time.GetUtcNow();

    /// <summary>Creates an object and shows it to the informers at once, so that the next decision counts it.</summary>
    public async Task<T> CreateAsync<T>(T obj, CancellationToken cancel) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var created = await Client.CreateAsync(obj, cancel).ConfigureAwait(false);
        Informers.RecordWrite(created);
        return created;
    }

    public async Task UpdateStatusAsync<T>(T obj, CancellationToken cancel) where T : class, IKubernetesObject<V1ObjectMeta> =>
        Informers.RecordWrite(await Client.UpdateStatusAsync(obj, cancel).ConfigureAwait(false));

    public async Task PatchAsync<T>(T obj, System.Text.Json.Nodes.JsonNode patch, CancellationToken cancel)
        where T : class, IKubernetesObject<V1ObjectMeta> => Informers.RecordWrite(
            await Client.Resource<T>().PatchAsync(obj.Metadata.Name, obj.Metadata.NamespaceProperty, Patch.Merge(patch), ct: cancel).ConfigureAwait(false));

    /// <summary>Whether two parts of objects say the same.</summary>
    public static bool Same(object? a, object? b) => System.Text.Json.Nodes.JsonNode.DeepEquals(ObjectJson.ToNode(a), ObjectJson.ToNode(b));
}

internal static class EventRecorderExtensions
{
    public static void Publish(this EventRecorder recorder, IKubernetesObject<V1ObjectMeta> about, IEnumerable<PlannedEvent> events)
    {
        foreach (var planned in events)
            recorder.Publish(about, planned.Reason, planned.Message, planned.IsWarning ? EventType.Warning : EventType.Normal);
    }
}
