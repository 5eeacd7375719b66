using System.Net;
using Graft.LocalCluster.Controllers;
using Graft.LocalCluster.Kubelet.Logs;
using Graft.LocalCluster.Kubelet.Mounts;
using Graft.LocalCluster.Kubelet.Nodes;
using Graft.LocalCluster.Kubelet.Processes;
using Graft.LocalCluster.Kubelet.Status;
using Graft.LocalCluster.Kubelet.Volumes;
using Graft.LocalCluster.Network;
using Graft.Runtime;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Graft.LocalCluster.Kubelet;

/// <summary>Runs the pods that are bound to the nodes of this machine: one <see cref="PodWorker"/> for each.</summary>
internal sealed class LocalKubelet : IAsyncDisposable
{
    // Enough for a program to be killed and its last output to be read.
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(3);

    private readonly KubeletContext _context;
    private readonly LoopbackBlock _addresses;
    private readonly Informer<V1Pod> _pods;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (PodWorker Worker, Task Run)> _workers = [];
    private readonly HashSet<string> _usedIps = [];
    private readonly CancellationTokenSource _shutdown = new();
    private int _nextIp;

    private LocalKubelet(KubeletContext context, LoopbackBlock addresses, Informer<V1Pod> pods) =>
        (_context, _addresses, _pods) = (context, addresses, pods);

    public Isolation Isolation => _context.Host.Isolation;

    /// <param name="claimFolders">Folders that claims are bound to, which volumes may show too.</param>
    public static async Task<LocalKubelet> StartAsync(
        ControlPlane plane, EventRecorder events, NodeAgents nodes, KubeletOptions options, string stateFolder, IEnumerable<string> claimFolders,
        LoopbackBlock addresses, CancellationToken cancel)
    {
        await RemoveLeftoversAsync(plane.Client, stateFolder, cancel).ConfigureAwait(false);
        var host = await ProcessHost.StartAsync(stateFolder, options.Isolation, plane.Time, cancel).ConfigureAwait(false);
        var folders = new HostFolders([stateFolder, .. claimFolders, .. options.HostFolders], new HostTree());
        // Probes follow no redirect to elsewhere, go through no proxy and check no certificate.
        var http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false, AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.Zero,
#pragma warning disable CA5359 // Nobody vouches for a container's certificate: the kubelet skips the check too (docs, HTTP probes).
            SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true },
#pragma warning restore CA5359
        });
        var context = new KubeletContext(
            options, plane.Client, events, host, folders, new LogFiles(stateFolder), http, nodes, stateFolder, plane.Time, plane.Loggers.CreateLogger<LocalKubelet>());
        var kubelet = new LocalKubelet(context, addresses, plane.Informers.Get<V1Pod>());
        kubelet._pods.AddHandler(kubelet.Handle);
        return kubelet;
    }

    /// <summary>What an earlier cluster in this folder left behind; only the logs of pods that are there still are of use.</summary>
    private static async Task RemoveLeftoversAsync(ApiClient client, string stateFolder, CancellationToken cancel)
    {
        var pods = await client.ListAsync<V1Pod>(ct: cancel).ConfigureAwait(false);
        var known = pods.Select(pod => pod.Metadata.Uid).ToHashSet(StringComparer.Ordinal);
        var running = Path.Combine(stateFolder, "pods");
        if (Directory.Exists(running)) Directory.Delete(running, recursive: true);
        var logs = new DirectoryInfo(Path.Combine(stateFolder, "logs"));
        foreach (var folder in logs.Exists ? logs.GetDirectories() : [])
        {
            if (!known.Contains(folder.Name)) folder.Delete(recursive: true);
        }
    }

    private void Handle(InformerEvent<V1Pod> change)
    {
        var pod = change.Object;
        // What happens while a node is cut off is found out when it comes back.
        if (!_context.Nodes.Has(pod.Spec.NodeName) || _context.Nodes.IsLost(pod.Spec.NodeName)) return;
        lock (_gate)
        {
            // A new pod may come under the name of one whose end was not told.
            if (change.Old is { } old && old.Metadata.Uid != pod.Metadata.Uid) Gone(old);
            if (change.Change == InformerChange.Deleted) Gone(pod);
            else if (_workers.TryGetValue(pod.Metadata.Uid, out var known)) known.Worker.Update(pod);
            else if (!_shutdown.IsCancellationRequested) Begin(pod);
        }
    }

    /// <summary>A node is heard of again: its pods are compared with what the API says of them by now.</summary>
    public void Return(string node)
    {
        _context.Nodes.Return(node);
        lock (_gate)
        {
            var pods = _pods.List().Where(p => p.Spec.NodeName == node).ToDictionary(p => p.Metadata.Uid);
            foreach (var (_, worker) in _workers.Where(w => w.Value.Worker.Node == node && !pods.ContainsKey(w.Key)).ToList()) Gone(worker.Worker.Pod);
            foreach (var pod in pods.Values) Handle(new InformerEvent<V1Pod>(InformerChange.Updated, null, pod));
        }
    }

    private void Begin(V1Pod pod)
    {
        if (Pods.IsDeleting(pod))
        {
            // Nothing of it runs here: it ended, or never began.
            _ = PodWorker.DeleteObjectAsync(_context, pod, _shutdown.Token);
            return;
        }
        if (Pods.IsTerminal(pod)) return;
        if (LostPods.Decide(pod, _context.Time.GetUtcNow()) is { } lost)
        {
            var status = new StatusWriter(_context, pod, () => lost);
            status.Complete();
            _ = status.RunAsync(_shutdown.Token);
            return;
        }
        var worker = new PodWorker(_context, pod, NextIp());
        _workers[pod.Metadata.Uid] = (worker, Task.Run(() => worker.RunAsync(_shutdown.Token)));
    }

    private void Gone(V1Pod pod)
    {
        if (_workers.Remove(pod.Metadata.Uid, out var known))
        {
            known.Worker.Gone();
            _ = EndAsync(pod, known.Worker, known.Run);
        }
    }

    private async Task EndAsync(V1Pod pod, PodWorker worker, Task run)
    {
        await run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        worker.Dispose();
        lock (_gate) _usedIps.Remove(worker.PodIp);
        try
        {
            var logs = _context.Logs.Folder(pod.Metadata.Uid);
            if (Directory.Exists(logs)) Directory.Delete(logs, recursive: true);
        }
        catch (IOException e)
        {
            _context.Logger.LogWarning("Logs of pod {Pod} not removed: {Problem}", pod.Metadata.Name, e.Message);
        }
    }

    private string NextIp()
    {
        for (var i = 0; i < LoopbackBlock.Addresses; i++)
        {
            IPAddress address = _addresses.Pod(_nextIp++);
            if (_usedIps.Add(address.ToString())) return address.ToString();
        }
        throw new InvalidOperationException("No loopback address is left for another pod.");
    }

    /// <summary>Ends all pods within the shutdown grace; nothing is left running.</summary>
    public async ValueTask DisposeAsync()
    {
        await _shutdown.CancelAsync().ConfigureAwait(false);
        Task[] running;
        lock (_gate) running = [.. _workers.Values.Select(w => w.Run)];
        var all = Task.WhenAll(running);
        await Task.WhenAny(all, Task.Delay(_context.Options.ShutdownGrace + StopPatience, _context.Time)).ConfigureAwait(false);
        await _context.Host.DisposeAsync().ConfigureAwait(false);
        _context.Http.Dispose();
        _shutdown.Dispose();
    }
}
