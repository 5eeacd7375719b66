using Graft.LocalCluster.Kubelet.Logs;
using Graft.LocalCluster.Kubelet.Nodes;
using Graft.LocalCluster.Kubelet.Processes;
using Graft.LocalCluster.Kubelet.Volumes;
using Graft.Runtime;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Graft.LocalCluster.Kubelet;

/// <summary>What all pods of this machine share.</summary>
internal sealed record KubeletContext(
    KubeletOptions Options, ApiClient Client, EventRecorder Events, ProcessHost Host, HostFolders Folders, LogFiles Logs, HttpClient Http,
    NodeAgents Nodes, string StateFolder, TimeProvider Time, ILogger Logger)
{
    /// <summary>Everything of one pod but its logs.</summary>
    public string PodFolder(V1Pod pod) => Path.Combine(StateFolder, "pods", pod.Metadata.Uid);

    /// <summary>The variables that every container starts from: this machine's, not this process'.</summary>
    public Dictionary<string, string> BaseEnvironment(V1Pod pod)
    {
        var result = new Dictionary<string, string>();
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            var name = (string)variable.Key;
            if (Options.InheritedVariables.Any(i => i == name || (i.EndsWith('_') && name.StartsWith(i, StringComparison.Ordinal))))
                result[name] = (string)variable.Value!;
        }
        result["HOSTNAME"] = pod.Spec.Hostname ?? pod.Metadata.Name;
        // Containers may ask for a read-only root, where only their volumes can be written. Here the root is this machine's, and
        // what programs write for a while goes with the pod.
        result["TMPDIR"] = Directory.CreateDirectory(Path.Combine(PodFolder(pod), "tmp")).FullName;
        return result;
    }
}
