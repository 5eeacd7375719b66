using Graft.Runtime;
using Microsoft.Extensions.Logging;

namespace Graft.LocalCluster.Controllers.Garbage;

/// <summary>Keeps the graph told about all objects of one kind, by list and watch, until cancelled.</summary>
internal sealed class ObjectWatch(ControlPlane plane, ResourceKind kind, OwnerGraph graph, Action<IReadOnlyList<string>> changed, ILogger logger)
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The first list is complete.</summary>
    public Task Synced => _synced.Task;

    public async Task RunAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                var version = await ListAsync(cancel).ConfigureAwait(false);
                _synced.TrySetResult();
                await FollowAsync(version, cancel).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                break; // The kind is no longer served.
            }
            catch (Exception e) when (e is ApiException or HttpRequestException or IOException or System.Text.Json.JsonException)
            {
                logger.LogDebug("Watch of {Kind} starts anew: {Problem}", kind.Plural, e.Message);
            }
            catch (OperationCanceledException)
            {
                break;
            }
            await Task.Delay(Retry, plane.Time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        foreach (var node in graph.OfKind(kind)) changed(graph.TellGone(node.Uid));
        _synced.TrySetResult();
    }

    private async Task<string> ListAsync(CancellationToken cancel)
    {
        var page = await plane.Client.Resource(kind).ListPageAsync(null, cancel).ConfigureAwait(false);
        var nodes = page.Items.Select(i => ObjectNode.Of(kind, i)).ToDictionary(n => n.Uid);
        foreach (var gone in graph.OfKind(kind).Where(n => !nodes.ContainsKey(n.Uid))) changed(graph.TellGone(gone.Uid));
        foreach (var node in nodes.Values) changed(graph.Tell(node));
        return page.ResourceVersion;
    }

    private async Task FollowAsync(string version, CancellationToken cancel)
    {
        var resource = plane.Client.Resource(kind);
        while (!cancel.IsCancellationRequested)
        {
            var options = new ListOptions { ResourceVersion = version };
            using var watch = await resource.WatchAsync(options, ct: cancel).ConfigureAwait(false);
            await foreach (var e in watch.WithCancellation(cancel).ConfigureAwait(false))
            {
                if (e.ResourceVersion.Length > 0) version = e.ResourceVersion;
                if (e.Object is null) continue;
                var node = ObjectNode.Of(kind, e.Object);
                changed(e.Change == WatchChange.Deleted ? graph.TellGone(node.Uid) : graph.Tell(node));
            }
        }
    }
}
