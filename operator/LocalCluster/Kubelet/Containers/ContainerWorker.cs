using System.ComponentModel;
using Graft.LocalCluster.Kubelet.Probes;
using Graft.LocalCluster.Kubelet.Processes;
using Graft.LocalCluster.Kubelet.Status;
using Graft.LocalCluster.Kubelet.Volumes;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Containers;

/// <summary>What a container is to its pod.</summary>
internal enum ContainerRole
{
    /// <summary>Runs to its end before the containers start.</summary>
    Init,

    /// <summary>An init container that goes on beside the containers, and is started again whenever it ends (KEP-753).</summary>
    Sidecar,

    Main,
}

/// <summary>
/// The life of one container: image, configuration, process, hooks, probes, end, and start again by the pod's restart policy. Its state
/// stands in <see cref="Status"/>; every change is told.
/// </summary>
internal sealed class ContainerWorker
{
    private static readonly TimeSpan ConfigRetry = TimeSpan.FromSeconds(2);
    // Left to a container whose hook used up its grace (pkg/kubelet/kuberuntime, minimumGracePeriodInSeconds).
    private static readonly TimeSpan LeastGrace = TimeSpan.FromSeconds(2);

    private readonly KubeletContext _context;
    private readonly V1Pod _pod;
    private readonly V1Container _container;
    private readonly ContainerRole _role;
    private readonly string _podIp;
    private readonly Action _changed;
    private readonly RestartPause _pause;

    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ContainerWorker(KubeletContext context, V1Pod pod, V1Container container, ContainerRole role, string podIp, Action changed)
    {
        (_context, _pod, _container, _role, _podIp, _changed) = (context, pod, container, role, podIp, changed);
        _pause = new RestartPause(context.Options.FirstRestartPause, context.Options.LongestRestartPause);
        var known = (pod.Status?.InitContainerStatuses ?? []).Concat(pod.Status?.ContainerStatuses ?? []).FirstOrDefault(s => s.Name == container.Name);
        Status = ContainerStates.Found(known, context.Time.GetUtcNow())
            ?? ContainerStates.New(container, role != ContainerRole.Main || pod.Spec.InitContainers is not { Count: > 0 } ? "ContainerCreating" : "PodInitializing");
    }

    public ContainerRole Role => _role;

    /// <summary>Completes when it runs, and its startup probe, where it has one, has succeeded.</summary>
    public Task Started => _started.Task;

    /// <summary>Never changed in place: each change is a new object.</summary>
    public V1ContainerStatus Status { get; private set; }

    /// <summary>Runs to the end that the restart policy leaves, or until stopped.</summary>
    /// <returns>The last exit code; null when it never ran.</returns>
    public async Task<int?> RunAsync(ContainerSetup setup, StopRequest stop)
    {
        int? code = Status.State.Terminated?.ExitCode;
        if (Status.State.Terminated is { } before)
        {
            // It ran before this kubelet did; with a new start of the node its initialization comes again.
            if (_role != ContainerRole.Init && !Restarts(before.ExitCode)) return code;
            Set(state: ContainerStates.Waiting("ContainerCreating"), last: before, restarts: Status.RestartCount + 1);
        }
        while (!stop.IsRequested)
        {
            try
            {
                var image = await ResolveImageAsync(stop.Stop).ConfigureAwait(false);
                var spec = await PrepareAsync(setup, image, stop.Stop).ConfigureAwait(false);
                var ended = await RunOnceAsync(setup, spec, stop).ConfigureAwait(false);
                code = ended.ExitCode;
                if (!Restarts(ended.ExitCode) || stop.IsRequested) return code;
                await PauseAsync(ended, stop.Stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsRequested)
            {
                break;
            }
        }
        return code;
    }

    private bool Restarts(int exitCode) => _role == ContainerRole.Sidecar || (_pod.Spec.RestartPolicy ?? "Always") switch
    {
        "Never" => false,
        "OnFailure" => exitCode != 0,
        _ => _role == ContainerRole.Main || exitCode != 0,
    };

    private async Task<ImageProgram> ResolveImageAsync(CancellationToken cancel)
    {
        if (_context.Options.Images.TryGetValue(_container.Image, out var image))
        {
            Tell("Pulled", $"Container image \"{_container.Image}\" already present on machine");
            return image;
        }
        var known = string.Join(", ", _context.Options.Images.Keys.Order(StringComparer.Ordinal));
        var why = $"image \"{_container.Image}\" is none of the programs of this machine ({known}); pods here run programs, not images from a registry";
        if (_container.ImagePullPolicy == "Never")
        {
            var never = $"Container image \"{_container.Image}\" is not present with pull policy of Never";
            Tell("ErrImageNeverPull", never, EventType.Warning);
            Set(state: ContainerStates.Waiting("ErrImageNeverPull", $"{never}; {why}"));
            await Task.Delay(Timeout.InfiniteTimeSpan, _context.Time, cancel).ConfigureAwait(false);
        }
        Tell("Pulling", $"Pulling image \"{_container.Image}\"");
        Tell("Failed", $"Failed to pull image \"{_container.Image}\": {why}", EventType.Warning);
        Tell("Failed", "Error: ErrImagePull", EventType.Warning);
        Set(state: ContainerStates.Waiting("ErrImagePull", why));
        await Task.Delay(_context.Options.FirstRestartPause, _context.Time, cancel).ConfigureAwait(false);
        Tell("BackOff", $"Back-off pulling image \"{_container.Image}\"");
        Tell("Failed", "Error: ImagePullBackOff", EventType.Warning);
        Set(state: ContainerStates.Waiting("ImagePullBackOff", $"Back-off pulling image \"{_container.Image}\": ErrImagePull: {why}"));
        // The table does not change while the cluster runs: there is nothing to try again.
        await Task.Delay(Timeout.InfiniteTimeSpan, _context.Time, cancel).ConfigureAwait(false);
        throw new OperationCanceledException(cancel);
    }

    private async Task<ProcessSpec> PrepareAsync(ContainerSetup setup, ImageProgram image, CancellationToken cancel)
    {
        while (true)
        {
            string problem;
            try
            {
                return await setup.PrepareAsync(_container, image, Status.RestartCount, cancel).ConfigureAwait(false);
            }
            catch (Exception e) when (e is ContainerConfigException or VolumeException or ApiException or IOException or HttpRequestException)
            {
                problem = e.Message;
            }
            Tell("Failed", $"Error: {problem}", EventType.Warning);
            Set(state: ContainerStates.Waiting("CreateContainerConfigError", problem));
            await Task.Delay(ConfigRetry, _context.Time, cancel).ConfigureAwait(false);
        }
    }

    private async Task<V1ContainerStateTerminated> RunOnceAsync(ContainerSetup setup, ProcessSpec spec, StopRequest stop)
    {
        var id = $"process://{_pod.Metadata.Uid}/{_container.Name}/{Status.RestartCount}";
        Tell("Created", $"Created container: {_container.Name}");
        ContainerProcess process;
        try
        {
            if (ContainerSetup.Missing(spec) is { } missing) return NotStarted(missing, id);
            process = await ContainerProcess.StartAsync(spec, _context.Host).ConfigureAwait(false);
        }
        catch (Exception e) when (e is Win32Exception or IOException or UnauthorizedAccessException)
        {
            return NotStarted(e.Message, id);
        }
        Tell("Started", $"Started container {_container.Name}");
        var exec = new ContainerExec(_context, spec, process.Group);
        var hooks = new ContainerHooks(_container, _podIp, _context.Http, exec, _context.Time);
        using var over = new CancellationTokenSource();
        using var unhealthy = new StopRequest(_context.Time);
        var probes = Task.CompletedTask;
        if (await PostStartAsync(process, hooks, unhealthy, stop).ConfigureAwait(false))
        {
            Set(state: ContainerStates.Running(process.StartedAt), id: id, started: _container.StartupProbe is null);
            if (_container.StartupProbe is null) _started.TrySetResult();
            if (_role != ContainerRole.Init) probes = ProbeAsync(exec, unhealthy, stop, over.Token);
        }
        await EndAsync(process, hooks, stop, unhealthy).ConfigureAwait(false);
        var exit = await process.Exit.ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        await probes.ConfigureAwait(false);
        return Ended(setup, spec, exit, id);
    }

    /// <summary>Nothing counts as running before its hook is done; one that fails ends the container.</summary>
    private async Task<bool> PostStartAsync(ContainerProcess process, ContainerHooks hooks, StopRequest unhealthy, StopRequest stop)
    {
        if (_container.Lifecycle?.PostStart is not { } hook) return true;
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(stop.Kill);
        var run = hooks.RunAsync(hook, cut.Token);
        await Task.WhenAny(run, process.Exit).ConfigureAwait(false);
        if (!run.IsCompleted) await cut.CancelAsync().ConfigureAwait(false);
        if (await run.ConfigureAwait(false)) return true;
        Tell("FailedPostStartHook", "PostStartHook failed", EventType.Warning);
        Tell("Killing", "FailedPostStartHook");
        unhealthy.Request(Grace);
        return false;
    }

    /// <summary>Waits for the process' end, and brings it about when it is wanted: politely, then by force.</summary>
    private async Task EndAsync(ContainerProcess process, ContainerHooks hooks, StopRequest stop, StopRequest unhealthy)
    {
        using var wanted = CancellationTokenSource.CreateLinkedTokenSource(unhealthy.Stop, stop.Stop);
        await process.Exit.OrCancelled(wanted.Token).ConfigureAwait(false);
        if (process.Exit.IsCompleted) return;
        if (!unhealthy.IsRequested) Tell("Killing", $"Stopping container {_container.Name}");
        using var force = CancellationTokenSource.CreateLinkedTokenSource(stop.Kill, unhealthy.Kill);
        if (_container.Lifecycle?.PreStop is { } hook && !force.IsCancellationRequested)
        {
            if (!await PreStopAsync(process, hooks, hook, force.Token).ConfigureAwait(false))
                Tell("FailedPreStopHook", "PreStopHook failed", EventType.Warning);
            process.Terminate();
            if (force.IsCancellationRequested) await Task.WhenAny(process.Exit, Task.Delay(LeastGrace, _context.Time)).ConfigureAwait(false);
        }
        else
        {
            process.Terminate();
        }
        await process.Exit.OrCancelled(force.Token).ConfigureAwait(false);
        if (!process.Exit.IsCompleted) process.Signal(Signals.Kill);
    }

    private static async Task<bool> PreStopAsync(ContainerProcess process, ContainerHooks hooks, V1LifecycleHandler hook, CancellationToken force)
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(force);
        var run = hooks.RunAsync(hook, cut.Token);
        await Task.WhenAny(run, process.Exit).ConfigureAwait(false);
        var ended = !run.IsCompleted;
        if (ended) await cut.CancelAsync().ConfigureAwait(false);
        return await run.ConfigureAwait(false) || ended;
    }

    private TimeSpan Grace => TimeSpan.FromSeconds(_pod.Spec.TerminationGracePeriodSeconds ?? 30);

    private Task ProbeAsync(ContainerExec exec, StopRequest unhealthy, StopRequest stop, CancellationToken over)
    {
        var prober = new Prober(_container, _podIp, _context.Http, exec.RunAsync);
        var effects = new ProbeEffects(
            Ready: ready => Set(ready: ready),
            Started: () =>
            {
                Set(started: true);
                _started.TrySetResult();
            },
            Kill: (why, grace) =>
            {
                // What ends anyway is not restarted.
                if (stop.IsRequested) return;
                Tell("Killing", $"Container {_container.Name} {why}, will be restarted");
                unhealthy.Request(grace ?? Grace);
            },
            Unhealthy: (kind, message) => Tell("Unhealthy", $"{kind} probe failed: {message}", EventType.Warning));
        return ContainerProbes.RunAsync(_container, prober, effects, _context.Time, over);
    }

    private V1ContainerStateTerminated NotStarted(string why, string id)
    {
        var now = _context.Time.GetUtcNow();
        Tell("Failed", $"Error: failed to start container \"{_container.Name}\": {why}", EventType.Warning);
        // 128 as container runtimes say it for a program that cannot be started.
        Set(state: ContainerStates.Terminated(128, "StartError", why, id, now, now), ready: false, started: false, id: id);
        return Status.State.Terminated;
    }

    private V1ContainerStateTerminated Ended(ContainerSetup setup, ProcessSpec spec, ProcessExit exit, string id)
    {
        var message = TerminationMessage.Read(setup.TerminationFile(_container), spec.Log!, _container.TerminationMessagePolicy, exit.Code);
        var reason = exit.OutOfMemory ? "OOMKilled" : exit.Code == 0 ? "Completed" : "Error";
        Set(state: ContainerStates.Terminated(exit.Code, reason, message, id, exit.StartedAt, exit.FinishedAt), ready: _role == ContainerRole.Init && exit.Code == 0, started: false);
        return Status.State.Terminated;
    }

    private async Task PauseAsync(V1ContainerStateTerminated ended, CancellationToken cancel)
    {
        var pause = _pause.Next((ended.FinishedAt - ended.StartedAt) ?? TimeSpan.Zero);
        if (pause > TimeSpan.Zero)
        {
            var pod = $"{_pod.Metadata.Name}_{_pod.Metadata.NamespaceProperty}({_pod.Metadata.Uid})";
            var who = $"container={_container.Name} pod={pod}";
            Tell("BackOff", $"Back-off restarting failed container {_container.Name} in pod {pod}", EventType.Warning);
            Set(state: ContainerStates.Waiting("CrashLoopBackOff", $"back-off {pause.TotalSeconds:0}s restarting failed {who}"), last: ended);
            await Task.Delay(pause, _context.Time, cancel).ConfigureAwait(false);
        }
        Set(last: ended, restarts: Status.RestartCount + 1);
    }

    private void Set(
        V1ContainerState? state = null, bool? ready = null, bool? started = null, string? id = null, V1ContainerStateTerminated? last = null, int? restarts = null)
    {
        var old = Status;
        Status = new V1ContainerStatus
        {
            Name = old.Name, Image = old.Image, ImageID = id is not null ? old.Image : old.ImageID, ContainerID = id ?? old.ContainerID,
            State = state ?? old.State, Ready = ready ?? old.Ready, Started = started ?? old.Started, RestartCount = restarts ?? old.RestartCount,
            LastState = last is not null ? new V1ContainerState { Terminated = last } : old.LastState,
        };
        _changed();
    }

    private void Tell(string reason, string message, EventType type = EventType.Normal) => _context.Events.Publish(_pod, reason, message, type);
}
