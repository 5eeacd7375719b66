using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Graft.Runtime;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Graft.LocalCluster.Kubelet.Nodes;

/// <summary>
/// What the kubelets of the declared nodes tell of themselves: they register, renew their Leases and post their status. A node can be
/// cut off and come back: while it is, nothing of it reaches the API, and its pods go on as they were.
/// </summary>
internal sealed class NodeAgents(ApiClient client, IReadOnlyList<V1Node> nodes, TimeSpan leasePeriod, TimeProvider time, ILogger logger)
{
    private const string LeaseNamespace = "kube-node-lease";
    private const int LeaseSeconds = 40;

    private readonly ConcurrentDictionary<string, TaskCompletionSource> _lost = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = [.. nodes.Select(n => n.Metadata.Name)];

    /// <summary>Whether pods of a node of this name run on this machine.</summary>
    public bool Has(string? name) => name is not null && _names.Contains(name);

    public bool IsLost(string name) => _lost.ContainsKey(name);

    public void Lose(string name) => _lost.TryAdd(Known(name), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    public void Return(string name)
    {
        if (_lost.TryRemove(Known(name), out var back)) back.SetResult();
    }

    /// <summary>Completes when the node is heard of.</summary>
    public Task ReachableAsync(string name, CancellationToken cancel) =>
        _lost.TryGetValue(name, out var back) ? back.Task.WaitAsync(cancel) : Task.CompletedTask;

    public async Task RegisterAsync(CancellationToken cancel)
    {
        var version = typeof(NodeAgents).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";
        foreach (var declared in nodes)
        {
            var node = LocalNode.Registered(declared, version);
            var known = await client.GetAsync<V1Node>(node.Metadata.Name, null, cancel).ConfigureAwait(false)
                ?? await client.CreateAsync(ObjectJson.Clone(node), cancel).ConfigureAwait(false);
            node.Status.Conditions = [.. LocalNode.Healthy(known.Status?.Conditions, time.GetUtcNow())];
            known.Status = node.Status;
            await client.UpdateStatusAsync(known, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Heartbeats until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(leasePeriod, time);
        try
        {
            do
            {
                foreach (var name in _names.Where(n => !IsLost(n))) await BeatAsync(name, cancel).ConfigureAwait(false);
            }
            while (await timer.WaitForNextTickAsync(cancel).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The cluster stops.
        }
    }

    private async Task BeatAsync(string name, CancellationToken cancel)
    {
        try
        {
            await RenewAsync(name, cancel).ConfigureAwait(false);
            var node = await client.GetAsync<V1Node>(name, null, cancel).ConfigureAwait(false);
            // A status that says nothing new is not posted; one that somebody took for lost is corrected.
            if (node is null || node.Status?.Conditions?.Any(c => c.Type == "Ready" && c.Status == "True") == true) return;
            var conditions = LocalNode.Healthy(node.Status?.Conditions, time.GetUtcNow()).Select(c => ObjectJson.ToNode(c));
            var patch = new JsonObject { ["status"] = new JsonObject { ["conditions"] = new JsonArray([.. conditions]) } };
            await client.Resource<V1Node>().PatchStatusAsync(name, null, Patch.Strategic(patch), ct: cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ApiException or HttpRequestException or IOException)
        {
            logger.LogWarning("Node {Node} not reported, trying again: {Problem}", name, e.Message);
        }
    }

    private async Task RenewAsync(string name, CancellationToken cancel)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var lease = await client.GetAsync<V1Lease>(name, LeaseNamespace, cancel).ConfigureAwait(false);
        if (lease is not null)
        {
            lease.Spec.RenewTime = now;
            await client.UpdateAsync(lease, cancel).ConfigureAwait(false);
            return;
        }
        await client.CreateAsync(new V1Lease
        {
            ApiVersion = "coordination.k8s.io/v1", Kind = "Lease",
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = LeaseNamespace },
            Spec = new V1LeaseSpec { HolderIdentity = name, LeaseDurationSeconds = LeaseSeconds, RenewTime = now },
        }, cancel).ConfigureAwait(false);
    }

    private string Known(string name) => _names.Contains(name) ? name : throw new ArgumentException($"\"{name}\" is none of the declared nodes");
}
