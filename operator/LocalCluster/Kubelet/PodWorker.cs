using Graft.LocalCluster.Kubelet.Containers;
using Graft.LocalCluster.Kubelet.Status;
using Graft.LocalCluster.Kubelet.Volumes;
using Graft.Runtime;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Graft.LocalCluster.Kubelet;

/// <summary>The life of one pod on this machine: volumes, init containers one after the other, containers side by side, end.</summary>
internal sealed class PodWorker : IDisposable
{
    private static readonly TimeSpan VolumeRetry = TimeSpan.FromSeconds(1);

    private readonly KubeletContext _context;
    private readonly V1Pod _pod;
    private readonly string _podIp;
    private readonly StopRequest _stop;
    private readonly StatusWriter _status;
    private readonly DateTimeOffset _startedAt;
    private readonly List<ContainerWorker> _inits;
    private readonly List<ContainerWorker> _containers;
    private V1PodStatus? _last;
    private volatile PodRejection? _rejection;
    private volatile bool _gone;
    private volatile bool _over;

    public PodWorker(KubeletContext context, V1Pod pod, string podIp)
    {
        (_context, _pod, _podIp) = (context, pod, podIp);
        _startedAt = context.Time.GetUtcNow();
        _stop = new StopRequest(context.Time);
        _status = new StatusWriter(context, pod, Current);
        _inits = [.. (pod.Spec.InitContainers ?? []).Select(c => new ContainerWorker(context, pod, c, isInit: true, podIp, _status.Changed))];
        _containers = [.. pod.Spec.Containers.Select(c => new ContainerWorker(context, pod, c, isInit: false, podIp, _status.Changed))];
    }

    public string PodIp => _podIp;

    public string Node => _pod.Spec.NodeName;

    public V1Pod Pod => _pod;

    /// <summary>The object is to be deleted: its containers end, then it is deleted for good.</summary>
    public void Delete(TimeSpan grace) => _stop.Request(grace);

    /// <summary>The object is gone already: what is left here ends at once.</summary>
    public void Gone()
    {
        _gone = true;
        _stop.Request(TimeSpan.Zero);
    }

    /// <param name="shutdown">The cluster stops: containers end, the object stays as it is.</param>
    public async Task RunAsync(CancellationToken shutdown)
    {
        await using var registration = shutdown.Register(() => _stop.Request(Least(Grace(_pod), _context.Options.ShutdownGrace))).ConfigureAwait(false);
        var writing = _status.RunAsync(shutdown);
        try
        {
            _status.Changed();
            await LiveAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _context.Logger.LogError(e, "Pod {Pod} cannot be run", _pod.Metadata.Name);
            Reject("KubeletError", e.Message);
        }
        _over = true;
        _status.Complete();
        await writing.ConfigureAwait(false);
        if (shutdown.IsCancellationRequested) return;
        await new TaskCompletionSource().Task.OrCancelled(_stop.Stop).ConfigureAwait(false);
        if (shutdown.IsCancellationRequested) return;
        // In this order, as the real kubelet: who sees that the object is gone may rely on it that nothing of the pod is left.
        RemoveFolder();
        if (!_gone) await DeleteObjectAsync(_context, _pod, shutdown).ConfigureAwait(false);
    }

    private async Task LiveAsync()
    {
        Directory.CreateDirectory(_context.PodFolder(_pod));
        var volumes = new PodVolumes(_context.Client, _context.Folders, _context.PodFolder(_pod));
        if (await OpenVolumesAsync(volumes).ConfigureAwait(false) is not { } open) return;
        var setup = new ContainerSetup(_context, _pod, _podIp, volumes, open);
        foreach (var init in _inits)
        {
            if (await init.RunAsync(setup, _stop).ConfigureAwait(false) != 0) return;
        }
        await Task.WhenAll(_containers.Select(c => c.RunAsync(setup, _stop))).ConfigureAwait(false);
    }

    /// <returns>Null when the pod is stopped first, or can never have them.</returns>
    private async Task<IReadOnlyDictionary<string, string>?> OpenVolumesAsync(PodVolumes volumes)
    {
        while (!_stop.IsRequested)
        {
            try
            {
                var open = await volumes.OpenAsync(_pod, _podIp, _stop.Stop).ConfigureAwait(false);
                // Mount paths are looked at before anything runs, so that a wrong one fails the pod and not half of it.
                foreach (var container in (_pod.Spec.InitContainers ?? []).Concat(_pod.Spec.Containers)) volumes.Mounts(container, _pod, open);
                return open;
            }
            catch (VolumeException e)
            {
                _context.Events.Publish(_pod, "FailedMount", e.Message, EventType.Warning);
                if (e.IsFinal)
                {
                    Reject("FailedMount", e.Message);
                    return null;
                }
            }
            catch (Exception e) when (e is ApiException or HttpRequestException or IOException)
            {
                _context.Logger.LogWarning("Volumes of pod {Pod} not read, trying again: {Problem}", _pod.Metadata.Name, e.Message);
            }
            catch (OperationCanceledException)
            {
                return null;
            }
            await Task.Delay(VolumeRetry, _context.Time, CancellationToken.None).OrCancelled(_stop.Stop).ConfigureAwait(false);
        }
        return null;
    }

    private void Reject(string reason, string message)
    {
        _rejection = new PodRejection(reason, message);
        _status.Changed();
    }

    // Only the status writer asks, one time after the other: each answer builds on the one before.
    private V1PodStatus Current() => _last = PodStatusDecision.Decide(
        _pod, _last, [.. _inits.Select(c => c.Status)], [.. _containers.Select(c => c.Status)], _podIp, _startedAt, _context.Time.GetUtcNow(),
        _over ? PodStage.Over : _stop.IsRequested ? PodStage.Stopping : PodStage.Live, _rejection);

    /// <summary>Confirms the end of a pod that is being deleted, so that its object goes.</summary>
    public static async Task DeleteObjectAsync(KubeletContext context, V1Pod pod, CancellationToken cancel)
    {
        try
        {
            await context.Nodes.ReachableAsync(pod.Spec.NodeName, cancel).ConfigureAwait(false);
            var options = new DeleteOptions { GracePeriodSeconds = 0, Uid = pod.Metadata.Uid };
            await context.Client.Resource<V1Pod>().DeleteAsync(pod.Metadata.Name, pod.Metadata.NamespaceProperty, options, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ApiException { IsConflict: true } or OperationCanceledException)
        {
            // Another pod has the name by now, or the cluster stops.
        }
    }

    private void RemoveFolder()
    {
        try
        {
            Directory.Delete(_context.PodFolder(_pod), recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _context.Logger.LogWarning("Folder of pod {Pod} not removed: {Problem}", _pod.Metadata.Name, e.Message);
        }
    }

    public static TimeSpan Grace(V1Pod pod) =>
        TimeSpan.FromSeconds(pod.Metadata.DeletionGracePeriodSeconds ?? pod.Spec.TerminationGracePeriodSeconds ?? 30);

    private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? a : b;

    public void Dispose() => _stop.Dispose();
}
