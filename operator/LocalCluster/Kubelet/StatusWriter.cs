using System.Text.Json.Nodes;
using System.Threading.Channels;
using Graft.Runtime;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Graft.LocalCluster.Kubelet;

/// <summary>Writes a pod's status whenever it changed; several changes at once are one write.</summary>
internal sealed class StatusWriter(KubeletContext context, V1Pod pod, Func<V1PodStatus> current)
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private JsonNode? _written;

    public void Changed() => _changes.Writer.TryWrite(true);

    /// <summary>No more changes: <see cref="RunAsync"/> writes the last one and ends.</summary>
    public void Complete()
    {
        Changed();
        _changes.Writer.TryComplete();
    }

    public async Task RunAsync(CancellationToken cancel)
    {
        try
        {
            await foreach (var _ in _changes.Reader.ReadAllAsync(cancel).ConfigureAwait(false))
            {
                await context.Nodes.ReachableAsync(pod.Spec.NodeName, cancel).ConfigureAwait(false);
                await WriteAsync(cancel).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The cluster stops, and the API with it.
        }
    }

    private async Task WriteAsync(CancellationToken cancel)
    {
        while (true)
        {
            var status = ObjectJson.ToNode(current())!;
            if (JsonNode.DeepEquals(status, _written)) return;
            // Strategic: conditions merge by type with the scheduler's; lists of containers are replaced.
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid }, ["status"] = status.DeepClone() };
            try
            {
                await context.Client.Resource<V1Pod>().PatchStatusAsync(
                    pod.Metadata.Name, pod.Metadata.NamespaceProperty, Patch.Strategic(patch), ct: cancel).ConfigureAwait(false);
                _written = status;
                return;
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                return;
            }
            catch (ApiException e) when (e.IsConflict)
            {
                // Another pod has the name by now, or only somebody else wrote at the same time.
                var there = await context.Client.GetAsync<V1Pod>(pod.Metadata.Name, pod.Metadata.NamespaceProperty, cancel).ConfigureAwait(false);
                if (there?.Metadata.Uid != pod.Metadata.Uid) return;
            }
            catch (Exception e) when (e is ApiException or HttpRequestException or IOException)
            {
                context.Logger.LogWarning("Status of pod {Pod} not written, trying again: {Problem}", pod.Metadata.Name, e.Message);
                await Task.Delay(Retry, context.Time, cancel).ConfigureAwait(false);
            }
        }
    }
}
