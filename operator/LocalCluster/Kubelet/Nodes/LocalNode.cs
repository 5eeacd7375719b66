using System.Globalization;
using System.Runtime.InteropServices;
using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Nodes;

/// <summary>This machine as a Node object.</summary>
internal static class LocalNode
{
    public const string Name = "local";
    private const int MaxPods = 110;

    /// <summary>What pods may take of this machine: all of it.</summary>
    public static V1Node Make(int gpus)
    {
        var capacity = new Dictionary<string, ResourceQuantity>
        {
            ["cpu"] = new(Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)),
            ["memory"] = new($"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024}Ki"),
            ["ephemeral-storage"] = new($"{new DriveInfo(Path.GetTempPath()).AvailableFreeSpace / 1024}Ki"),
            ["pods"] = new(MaxPods.ToString(CultureInfo.InvariantCulture)),
        };
        if (gpus > 0) capacity["nvidia.com/gpu"] = new(gpus.ToString(CultureInfo.InvariantCulture));
        return new V1Node { Metadata = new V1ObjectMeta { Name = Name }, Status = new V1NodeStatus { Capacity = capacity, Allocatable = capacity } };
    }

    /// <summary>
    /// A declared node as a kubelet would register it: labels, taints and what it has are the declaration's, and what it does not say is
    /// as on this machine. Devices that are only declared are counted, and do not exist.
    /// </summary>
    public static V1Node Registered(V1Node declared, string version)
    {
        var name = declared.Metadata.Name;
        var architecture = RuntimeInformation.OSArchitecture == Architecture.X64 ? "amd64" : "arm64";
        var labels = new Dictionary<string, string>
        {
            ["kubernetes.io/hostname"] = name, ["kubernetes.io/os"] = "linux", ["kubernetes.io/arch"] = architecture,
        };
        foreach (var (key, value) in declared.Metadata.Labels ?? new Dictionary<string, string>()) labels[key] = value;
        var own = Make(0).Status.Capacity;
        var capacity = new Dictionary<string, ResourceQuantity>(declared.Status?.Capacity ?? declared.Status?.Allocatable ?? new Dictionary<string, ResourceQuantity>());
        foreach (var (resource, amount) in own) capacity.TryAdd(resource, amount);
        var allocatable = new Dictionary<string, ResourceQuantity>(declared.Status?.Allocatable ?? new Dictionary<string, ResourceQuantity>());
        foreach (var (resource, amount) in capacity) allocatable.TryAdd(resource, amount);
        return new V1Node
        {
            ApiVersion = "v1",
            Kind = "Node",
            Metadata = new V1ObjectMeta { Name = name, Labels = labels, Annotations = declared.Metadata.Annotations },
            Spec = new V1NodeSpec { Taints = declared.Spec?.Taints, Unschedulable = declared.Spec?.Unschedulable },
            Status = new V1NodeStatus
            {
                Capacity = capacity,
                Allocatable = allocatable,
                Addresses = [new V1NodeAddress { Type = "InternalIP", Address = "127.0.0.1" }, new V1NodeAddress { Type = "Hostname", Address = name }],
                NodeInfo = new V1NodeSystemInfo
                {
                    Architecture = architecture, BootID = "", ContainerRuntimeVersion = "process://" + version, KernelVersion = Environment.OSVersion.Version.ToString(),
                    KubeProxyVersion = version, KubeletVersion = version, MachineID = "", OperatingSystem = "linux", OsImage = RuntimeInformation.OSDescription, SystemUUID = "",
                },
            },
        };
    }

    /// <summary>The conditions of a kubelet that is well (pkg/kubelet/nodestatus/setters.go).</summary>
    public static IEnumerable<V1NodeCondition> Healthy(IEnumerable<V1NodeCondition>? before, DateTimeOffset now)
    {
        (string Type, string Status, string Reason, string Message)[] all =
        [
            ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ];
        foreach (var (type, status, reason, message) in all)
        {
            var known = before?.FirstOrDefault(c => c.Type == type);
            yield return new V1NodeCondition
            {
                Type = type, Status = status, Reason = reason, Message = message, LastHeartbeatTime = now.UtcDateTime,
                LastTransitionTime = known?.Status == status ? known.LastTransitionTime : now.UtcDateTime,
            };
        }
    }

    /// <summary>Graphics processors whose device files the driver has made.</summary>
    public static int CountGpus() => Directory.Exists("/dev")
        ? Directory.EnumerateFileSystemEntries("/dev", "nvidia*").Count(p => p["/dev/nvidia".Length..] is { Length: > 0 } n && n.All(char.IsAsciiDigit))
        : 0;
}
