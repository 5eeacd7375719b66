using Graft.LocalCluster.Kubelet.Probes;
using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Containers;

/// <summary>Runs what a container asks for after its start and before its end (pkg/kubelet/lifecycle/handlers.go).</summary>
internal sealed class ContainerHooks(V1Container container, string podIp, HttpClient http, ContainerExec exec, TimeProvider time)
{
    /// <returns>Whether it succeeded; a hook that is cut off did not.</returns>
    public async Task<bool> RunAsync(V1LifecycleHandler hook, CancellationToken cancel)
    {
        try
        {
            if (hook.Exec is { } command) return (await exec.RunAsync([.. command.Command], cancel).ConfigureAwait(false)).Code == 0;
            if (hook.Sleep is { } sleep) await Task.Delay(TimeSpan.FromSeconds(sleep.Seconds), time, cancel).ConfigureAwait(false);
            if (hook.HttpGet is not { } get) return true;
            using var request = HttpGet.Request(get, container, podIp);
            // Any answer is one: only that it was asked matters.
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is OperationCanceledException or HttpRequestException or IOException or UriFormatException
            or System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
