using Graft.Contract;
using Graft.Operator.Api;
using Graft.Operator.Sources;
using k8s;
using k8s.Models;

namespace Graft.Operator.Pods;

/// <summary>The parts that trainer and server pods have in common, within Kubernetes' restricted pod security standard.</summary>
internal static class PodParts
{
    // The distroless user; images of ours run as it, and volumes are made writable for it.
    private const long User = 65532;

    public static V1PodSecurityContext PodSecurity => new()
    {
        RunAsNonRoot = true,
        RunAsUser = User,
        RunAsGroup = User,
        FsGroup = User,
        SeccompProfile = new() { Type = "RuntimeDefault" },
    };

    public static V1SecurityContext ContainerSecurity => new()
    {
        AllowPrivilegeEscalation = false,
        ReadOnlyRootFilesystem = true,
        Capabilities = new() { Drop = ["ALL"] },
    };

    /// <param name="fetch">Said only to a pod that fetches.</param>
    public static IList<V1EnvVar> Environment(PodMounts mounts, FetchSettings fetch) =>
    [
        new() { Name = ContractEnvironment.PodIp, ValueFrom = new() { FieldRef = new() { FieldPath = "status.podIP" } } },
        // The runtime's diagnostics would write to /tmp, and the root file system is read-only.
        new() { Name = "DOTNET_EnableDiagnostics", Value = "0" },
        .. mounts.Fetches ? fetch.Environment : [],
    ];

    /// <summary>Memory and GPUs are limits as well as requests; a CPU limit would only throttle.</summary>
    public static V1ResourceRequirements? Resources(ResourcesSpec? spec)
    {
        if (spec is null) return null;
        var requests = new Dictionary<string, ResourceQuantity>();
        var limits = new Dictionary<string, ResourceQuantity>();
        if (spec.Cpu is { } cpu) requests["cpu"] = new(cpu);
        if (spec.Memory is { } memory) requests["memory"] = limits["memory"] = new(memory);
        if (spec.Gpu is { } gpu) limits[ApiNames.GpuResource] = new($"{gpu.Count}");
        return new() { Requests = requests.Count > 0 ? requests : null, Limits = limits.Count > 0 ? limits : null };
    }

    public static Dictionary<string, string>? NodeSelector(ResourcesSpec? spec) =>
        spec?.Gpu?.Product is { } product ? new() { [ApiNames.GpuProductLabel] = product } : null;

    public static Dictionary<string, string> Labels(string program, string instance, string ownerLabel) => new()
    {
        [ApiNames.NameLabel] = program,
        [ApiNames.InstanceLabel] = instance,
        [ApiNames.ManagedByLabel] = ApiNames.FieldManager,
        [ownerLabel] = instance,
    };

    public static bool IsOwnedBy(this IKubernetesObject<V1ObjectMeta> child, IKubernetesObject<V1ObjectMeta> owner) =>
        child.Metadata.OwnerReferences?.Any(o => o.Controller == true && o.Uid == owner.Metadata.Uid) == true;
}
