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
    // What a container gets at least when others used up the grace (pkg/kubelet/kuberuntime, minimumGracePeriodInSeconds).
    private static readonly TimeSpan LeastGrace = TimeSpan.FromSeconds(2);

    private readonly KubeletContext _context;
    private readonly V1Pod _pod;
    private readonly string _podIp;
    private readonly StopRequest _stop;
    private readonly TaskCompletionSource _leave = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _deadline;
    private readonly StatusWriter _status;
    private readonly DateTimeOffset _startedAt;
    private readonly List<ContainerWorker> _inits;
    private readonly List<ContainerWorker> _containers;
    private volatile V1Pod _latest;
    private volatile bool _hasSandbox;
    private V1PodStatus? _last;
    private volatile PodRejection? _rejection;
    private volatile bool _gone;
    private volatile bool _over;

    public PodWorker(KubeletContext context, V1Pod pod, string podIp)
    {
        (_context, _pod, _latest, _podIp) = (context, pod, pod, podIp);
        _startedAt = pod.Status?.StartTime is { } since ? new DateTimeOffset(since.ToUniversalTime()) : context.Time.GetUtcNow();
        _stop = new StopRequest(context.Time);
        _deadline = new CancellationTokenSource(Timeout.InfiniteTimeSpan, context.Time);
        _status = new StatusWriter(context, pod, Current);
        ContainerWorker Worker(V1Container container, ContainerRole role) => new(context, pod, container, role, podIp, _status.Changed);
        _inits = [.. (pod.Spec.InitContainers ?? []).Select(c => Worker(c, c.RestartPolicy == "Always" ? ContainerRole.Sidecar : ContainerRole.Init))];
        _containers = [.. pod.Spec.Containers.Select(c => Worker(c, ContainerRole.Main))];
    }

    public string PodIp => _podIp;

    public string Node => _pod.Spec.NodeName;

    public V1Pod Pod => _pod;

    /// <summary>The object changed: it is to be deleted, has another deadline, or others keep other conditions of it.</summary>
    public void Update(V1Pod pod)
    {
        _latest = pod;
        if (pod.Metadata.DeletionTimestamp is not null)
        {
            _stop.Request(Grace(pod));
            _leave.TrySetResult();
        }
        SetDeadline();
        _status.Changed();
    }

    /// <summary>The object is gone already: what is left here ends at once.</summary>
    public void Gone()
    {
        _gone = true;
        _stop.Request(TimeSpan.Zero);
        _leave.TrySetResult();
    }

    /// <param name="shutdown">The cluster stops: containers end, the object stays as it is.</param>
    public async Task RunAsync(CancellationToken shutdown)
    {
        await using var stopping = shutdown.Register(() =>
        {
            _stop.Request(Least(Grace(_pod), _context.Options.ShutdownGrace));
            _leave.TrySetResult();
        }).ConfigureAwait(false);
        await using var deadline = _deadline.Token.Register(Exceed).ConfigureAwait(false);
        var writing = _status.RunAsync(shutdown);
        try
        {
            SetDeadline();
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
        await _leave.Task.ConfigureAwait(false);
        if (shutdown.IsCancellationRequested) return;
        // In this order, as the real kubelet: who sees that the object is gone may rely on it that nothing of the pod is left.
        RemoveFolder();
        if (!_gone) await DeleteObjectAsync(_context, _pod, shutdown).ConfigureAwait(false);
    }

    private void SetDeadline()
    {
        if (_over || _latest.Spec.ActiveDeadlineSeconds is not { } seconds) return;
        var left = _startedAt + TimeSpan.FromSeconds(seconds) - _context.Time.GetUtcNow();
        _deadline.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1));
    }

    // pkg/kubelet/active_deadline.go
    private void Exceed()
    {
        const string Message = "Pod was active on the node longer than the specified deadline";
        if (_over || _stop.IsRequested) return;
        _context.Events.Publish(_pod, "DeadlineExceeded", Message);
        Reject("DeadlineExceeded", Message);
        _stop.Request(Grace(_pod));
    }

    private async Task LiveAsync()
    {
        Directory.CreateDirectory(_context.PodFolder(_pod));
        var content = new VolumeContent(_context.Client, _podIp, _context.Time);
        var volumes = new PodVolumes(_context.Client, _context.Folders, content, _context.PodFolder(_pod), _context.Time);
        if (await OpenVolumesAsync(volumes).ConfigureAwait(false) is not { } open) return;
        _hasSandbox = true;
        _status.Changed();
        var setup = new ContainerSetup(_context, _pod, _podIp, volumes, open);
        var sidecars = new Stack<(StopRequest Stop, Task Run)>();
        using var over = new CancellationTokenSource();
        var refreshing = RefreshVolumesAsync(volumes, over.Token);
        try
        {
            foreach (var init in _inits)
            {
                if (init.Role == ContainerRole.Sidecar) await StartSidecarAsync(init, setup, sidecars).ConfigureAwait(false);
                else if (await init.RunAsync(setup, _stop).ConfigureAwait(false) != 0) return;
                if (_stop.IsRequested) return;
            }
            await Task.WhenAll(_containers.Select(c => c.RunAsync(setup, _stop))).ConfigureAwait(false);
        }
        finally
        {
            await EndSidecarsAsync(sidecars).ConfigureAwait(false);
            await over.CancelAsync().ConfigureAwait(false);
            await refreshing.ConfigureAwait(false);
        }
    }

    /// <summary>What volumes show of the API's objects follows them, and tokens are renewed before they end.</summary>
    private async Task RefreshVolumesAsync(PodVolumes volumes, CancellationToken over)
    {
        if (!(_pod.Spec.Volumes ?? []).Any(VolumeContent.Fills)) return;
        using var timer = new PeriodicTimer(_context.Options.VolumeRefresh, _context.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(over).ConfigureAwait(false))
            {
                try
                {
                    await volumes.RefreshAsync(_latest, over).ConfigureAwait(false);
                }
                catch (Exception e) when (e is VolumeException or ApiException or HttpRequestException or IOException)
                {
                    _context.Events.Publish(_pod, "FailedMount", e.Message, EventType.Warning);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The pod ended.
        }
    }

    private async Task StartSidecarAsync(ContainerWorker sidecar, ContainerSetup setup, Stack<(StopRequest, Task)> sidecars)
    {
        var stop = new StopRequest(_context.Time);
        var run = sidecar.RunAsync(setup, stop);
        sidecars.Push((stop, run));
        await Task.WhenAny(sidecar.Started, run).OrCancelled(_stop.Stop).ConfigureAwait(false);
    }

    /// <summary>In the reverse order of their start, after the containers, with what is left of the pod's grace.</summary>
    private async Task EndSidecarsAsync(Stack<(StopRequest Stop, Task Run)> sidecars)
    {
        while (sidecars.TryPop(out var sidecar))
        {
            var (stop, run) = sidecar;
            var grace = _stop.IsRequested ? _stop.Remaining : Grace(_pod);
            stop.Request(_gone || grace > LeastGrace ? grace : LeastGrace);
            await using var force = _stop.Kill.Register(() => stop.Request(_gone ? TimeSpan.Zero : LeastGrace)).ConfigureAwait(false);
            await run.ConfigureAwait(false);
            stop.Dispose();
        }
    }

    /// <returns>Null when the pod is stopped first, or can never have them.</returns>
    private async Task<IReadOnlyDictionary<string, string>?> OpenVolumesAsync(PodVolumes volumes)
    {
        while (!_stop.IsRequested)
        {
            try
            {
                var open = await volumes.OpenAsync(_pod, _stop.Stop).ConfigureAwait(false);
                // Volumes are looked for before anything runs, so that a wrong name fails the pod and not half of it.
                foreach (var container in (_pod.Spec.InitContainers ?? []).Concat(_pod.Spec.Containers)) PodVolumes.Check(container, open);
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
    private V1PodStatus Current() => _last = PodStatusDecision.Decide(new PodFacts(
        _latest, _last, [.. _inits.Select(c => c.Status)], [.. _containers.Select(c => c.Status)], _podIp, _startedAt, _context.Time.GetUtcNow(),
        _hasSandbox, _over ? PodStage.Over : _stop.IsRequested ? PodStage.Stopping : PodStage.Live, _rejection));

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

    public void Dispose()
    {
        _stop.Dispose();
        _deadline.Dispose();
    }
}
