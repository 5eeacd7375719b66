using System.Globalization;
using System.Runtime.InteropServices;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>This machine as a Node object.</summary>
internal static class LocalNode
{
    public const string Name = "local";
    private const int MaxPods = 110;

    public static V1Node Make(string version, DateTimeOffset now, int gpus)
    {
        var capacity = new Dictionary<string, ResourceQuantity>
        {
            ["cpu"] = new(Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)),
            ["memory"] = new($"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024}Ki"),
            ["pods"] = new(MaxPods.ToString(CultureInfo.InvariantCulture)),
        };
        if (gpus > 0) capacity["nvidia.com/gpu"] = new(gpus.ToString(CultureInfo.InvariantCulture));
        var architecture = RuntimeInformation.OSArchitecture == Architecture.X64 ? "amd64" : "arm64";
        return new V1Node
        {
            ApiVersion = "v1",
            Kind = "Node",
            Metadata = new V1ObjectMeta
            {
                Name = Name,
                Labels = new Dictionary<string, string>
                {
                    ["kubernetes.io/hostname"] = Name, ["kubernetes.io/os"] = "linux", ["kubernetes.io/arch"] = architecture,
                },
            },
            Spec = new V1NodeSpec(),
            Status = new V1NodeStatus
            {
                Capacity = capacity,
                Allocatable = capacity,
                Conditions =
                [
                    new V1NodeCondition
                    {
                        Type = "Ready", Status = "True", Reason = "KubeletReady", Message = "pods run as processes of this machine",
                        LastHeartbeatTime = now.UtcDateTime, LastTransitionTime = now.UtcDateTime,
                    },
                ],
                Addresses = [new V1NodeAddress { Type = "InternalIP", Address = "127.0.0.1" }, new V1NodeAddress { Type = "Hostname", Address = Name }],
                NodeInfo = new V1NodeSystemInfo
                {
                    Architecture = architecture, BootID = "", ContainerRuntimeVersion = "process://" + version, KernelVersion = Environment.OSVersion.Version.ToString(),
                    KubeProxyVersion = version, KubeletVersion = version, MachineID = "", OperatingSystem = "linux", OsImage = RuntimeInformation.OSDescription, SystemUUID = "",
                },
            },
        };
    }

    /// <summary>Graphics processors whose device files the driver has made.</summary>
    public static int CountGpus() => Directory.Exists("/dev")
        ? Directory.EnumerateFileSystemEntries("/dev", "nvidia*").Count(p => p["/dev/nvidia".Length..] is { Length: > 0 } n && n.All(char.IsAsciiDigit))
        : 0;
}
