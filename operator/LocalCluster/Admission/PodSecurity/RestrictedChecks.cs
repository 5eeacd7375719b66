using Graft.LocalCluster.Storage;
using static Graft.LocalCluster.Admission.PodSecurity.BaselineChecks;
using static Graft.LocalCluster.Admission.PodSecurity.Wording;

namespace Graft.LocalCluster.Admission.PodSecurity;

/// <summary>What the restricted level asks for beyond the baseline (same source).</summary>
internal static class RestrictedChecks
{
    private static readonly string[] VolumeTypes =
        ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];

    private static readonly string[] OtherVolumeTypes =
    [
        "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "gitRepo", "nfs", "iscsi", "glusterfs", "rbd", "flexVolume", "cinder", "cephfs",
        "flocker", "fc", "azureFile", "vsphereVolume", "quobyte", "azureDisk", "photonPersistentDisk", "portworxVolume", "scaleIO", "storageos",
    ];

    public static IReadOnlyList<SecurityCheck> All { get; } =
    [
        new("allowPrivilegeEscalation", SecurityLevel.Restricted, 8, PrivilegeEscalation),
        new("capabilities_restricted", SecurityLevel.Restricted, 22, CapabilitiesDropped) { Overrides = "capabilities_baseline" },
        new("restrictedVolumes", SecurityLevel.Restricted, 0, (pod, _) => Volumes(pod)) { Overrides = "hostPathVolumes" },
        new("runAsNonRoot", SecurityLevel.Restricted, 0, (pod, _) => NonRoot(pod)),
        new("runAsUser", SecurityLevel.Restricted, 23, (pod, _) => User(pod)),
        new("seccompProfile_restricted", SecurityLevel.Restricted, 19, Seccomp) { Overrides = "seccompProfile_baseline" },
    ];

    private static Violation? PrivilegeEscalation(PodView pod, LevelVersion version)
    {
        // Windows has no such things (since 1.25).
        if (pod.IsWindows && version.IsAtLeast(25))
            return null;
        var containers = Offenders(pod, container => Said(container.At("securityContext", "allowPrivilegeEscalation")) != false);
        return containers.Count == 0
            ? null
            : new("allowPrivilegeEscalation != false", $"{Containers(containers)} must set securityContext.allowPrivilegeEscalation=false");
    }

    private static Violation? CapabilitiesDropped(PodView pod, LevelVersion version)
    {
        if (pod.IsWindows && version.IsAtLeast(25))
            return null;
        var missing = Offenders(pod, container => !container.At("securityContext", "capabilities", "drop").Strings().Contains("ALL"));
        var forbidden = new SortedSet<string>(StringComparer.Ordinal);
        var adding = Offenders(pod, container =>
        {
            var added = container.At("securityContext", "capabilities", "add").Strings().Where(c => c != "NET_BIND_SERVICE").ToList();
            forbidden.UnionWith(added);
            return added.Count > 0;
        });
        var details = new List<string>();
        if (missing.Count > 0)
            details.Add($"{Containers(missing)} must set securityContext.capabilities.drop=[\"ALL\"]");
        if (adding.Count > 0)
            details.Add($"{Containers(adding)} must not include {Quoted(forbidden)} in securityContext.capabilities.add");
        return details.Count == 0 ? null : new Violation("unrestricted capabilities", string.Join("; ", details));
    }

    private static Violation? Volumes(PodView pod)
    {
        var bad = pod.Volumes.Where(volume => !VolumeTypes.Any(type => volume[type] is not null)).ToList();
        if (bad.Count == 0)
            return null;
        var types = new SortedSet<string>(bad.Select(volume => OtherVolumeTypes.FirstOrDefault(type => volume[type] is not null, "unknown")), StringComparer.Ordinal);
        return new("restricted volume types", $"{Plural("volume", "volumes", bad.Count)} {Quoted(bad.Select(NameOf))} "
            + $"{Plural("uses", "use", bad.Count)} {Plural("restricted volume type", "restricted volume types", types.Count)} {Quoted(types)}");
    }

    private static Violation? NonRoot(PodView pod)
    {
        if (pod.HasUsersOfItsOwn)
            return null;
        var whole = Said(pod.SecurityContext.At("runAsNonRoot"));
        var explicitly = Offenders(pod, container => Said(container.At("securityContext", "runAsNonRoot")) == false);
        if (whole == false || explicitly.Count > 0)
            return new("runAsNonRoot != true", $"{Setters(whole == false, explicitly)} must not set securityContext.runAsNonRoot=false");
        var implicitly = Offenders(pod, container => Said(container.At("securityContext", "runAsNonRoot")) is null && whole != true);
        return implicitly.Count == 0
            ? null
            : new("runAsNonRoot != true", $"pod or {Containers(implicitly)} must set securityContext.runAsNonRoot=true");
    }

    private static Violation? User(PodView pod)
    {
        if (pod.HasUsersOfItsOwn)
            return null;
        var whole = pod.SecurityContext.At("runAsUser").AsLong() == 0;
        var containers = Offenders(pod, container => container.At("securityContext", "runAsUser").AsLong() == 0);
        return whole || containers.Count > 0 ? new("runAsUser=0", $"{Setters(whole, containers)} must not set runAsUser=0") : null;
    }

    private static Violation? Seccomp(PodView pod, LevelVersion version)
    {
        if (pod.IsWindows && version.IsAtLeast(25))
            return null;
        var types = new SortedSet<string>(StringComparer.Ordinal);
        var whole = pod.SecurityContext.At("seccompProfile", "type").AsString();
        var podIsBad = whole is not null && !IsGood(whole);
        var explicitly = Offenders(pod, container => container.At("securityContext", "seccompProfile", "type").AsString() is { } type && !IsGood(type));
        if (podIsBad || explicitly.Count > 0)
            return new("seccompProfile", $"{Setters(podIsBad, explicitly)} must not set securityContext.seccompProfile.type to {Quoted(types)}");
        var implicitly = Offenders(pod, container => container.At("securityContext", "seccompProfile") is null && whole is null);
        return implicitly.Count == 0
            ? null
            : new("seccompProfile", $"pod or {Containers(implicitly)} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"");

        bool IsGood(string type) => type is "RuntimeDefault" or "Localhost" || (types.Add(type) && false);
    }
}
