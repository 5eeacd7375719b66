using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;
using static Graft.LocalCluster.Admission.PodSecurity.Wording;

namespace Graft.LocalCluster.Admission.PodSecurity;

/// <summary>
/// What the baseline level forbids, each check as in kubernetes/staging/src/k8s.io/pod-security-admission/policy/check_*.go; its texts are
/// those of these files.
/// </summary>
internal static class BaselineChecks
{
    private static readonly HashSet<string> Capabilities = new(StringComparer.Ordinal)
    {
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP",
        "SETUID", "SYS_CHROOT",
    };

    private static readonly string[] SafeSysctls =
    [
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
    ];

    private static readonly string[] SafeSysctlsSince27 = ["net.ipv4.ip_local_reserved_ports"];

    private static readonly string[] SafeSysctlsSince29 =
        ["net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"];

    private static readonly string[] SafeSysctlsSince32 = ["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"];

    private static readonly string[] SeLinuxTypes = ["", "container_t", "container_init_t", "container_kvm_t"];

    public static IReadOnlyList<SecurityCheck> All { get; } =
    [
        new("appArmorProfile", SecurityLevel.Baseline, 0, AppArmor),
        new("capabilities_baseline", SecurityLevel.Baseline, 0, (pod, _) => CapabilitiesAdded(pod)),
        new("hostNamespaces", SecurityLevel.Baseline, 0, (pod, _) => HostNamespaces(pod)),
        new("hostPathVolumes", SecurityLevel.Baseline, 0, (pod, _) => HostPaths(pod)),
        new("hostPorts", SecurityLevel.Baseline, 0, (pod, _) => HostPorts(pod)),
        new("hostProbesAndHostLifecycle", SecurityLevel.Baseline, 34, (pod, _) => ProbeHosts(pod)),
        new("privileged", SecurityLevel.Baseline, 0, (pod, _) => Privileged(pod)),
        new("procMount", SecurityLevel.Baseline, 0, (pod, _) => ProcMounts(pod)),
        new("seLinuxOptions", SecurityLevel.Baseline, 0, (pod, _) => SeLinux(pod)),
        new("seccompProfile_baseline", SecurityLevel.Baseline, 19, (pod, _) => Seccomp(pod)),
        new("sysctls", SecurityLevel.Baseline, 0, Sysctls),
        new("windowsHostProcess", SecurityLevel.Baseline, 0, (pod, _) => WindowsHostProcess(pod)),
    ];

    private static Violation? AppArmor(PodView pod, LevelVersion version)
    {
        const string Prefix = "container.apparmor.security.beta.kubernetes.io/";
        var bad = pod.Metadata.At("annotations").StringMap().Where(a => a.Key.StartsWith(Prefix, StringComparison.Ordinal)
                && a.Value is not ("" or "runtime/default") && !a.Value.StartsWith("localhost/", StringComparison.Ordinal))
            .Select(a => $"{a.Key}=\"{a.Value}\"").Order(StringComparer.Ordinal).ToList();
        return bad.Count == 0
            ? null
            : new Violation(Plural("forbidden AppArmor profile", "forbidden AppArmor profiles", bad.Count), string.Join(", ", bad));
    }

    private static Violation? CapabilitiesAdded(PodView pod)
    {
        var forbidden = new SortedSet<string>(StringComparer.Ordinal);
        var containers = Offenders(pod, container =>
        {
            var added = container.At("securityContext", "capabilities", "add").Strings().Where(c => !Capabilities.Contains(c)).ToList();
            forbidden.UnionWith(added);
            return added.Count > 0;
        });
        return containers.Count == 0
            ? null
            : new("non-default capabilities", $"{Containers(containers)} must not include {Quoted(forbidden)} in securityContext.capabilities.add");
    }

    private static Violation? HostNamespaces(PodView pod)
    {
        var set = ((string[])["hostNetwork", "hostPID", "hostIPC"]).Where(name => pod.Spec.At(name).AsBool()).Select(name => $"{name}=true").ToList();
        return set.Count == 0 ? null : new Violation("host namespaces", string.Join(", ", set));
    }

    private static Violation? HostPaths(PodView pod)
    {
        var volumes = pod.Volumes.Where(volume => volume["hostPath"] is not null).Select(NameOf).ToList();
        return volumes.Count == 0 ? null : new Violation("hostPath volumes", $"{Plural("volume", "volumes", volumes.Count)} {Quoted(volumes)}");
    }

    private static Violation? HostPorts(PodView pod)
    {
        var ports = new SortedSet<string>(StringComparer.Ordinal);
        var containers = Offenders(pod, container =>
        {
            var used = container["ports"].Objects().Select(port => port["hostPort"].AsLong() ?? 0).Where(port => port != 0)
                .Select(port => port.ToString(CultureInfo.InvariantCulture)).ToList();
            ports.UnionWith(used);
            return used.Count > 0;
        });
        return containers.Count == 0
            ? null
            : new("hostPort", $"{Containers(containers)} {Plural("uses", "use", containers.Count)} {Plural("hostPort", "hostPorts", ports.Count)} {string.Join(", ", ports)}");
    }

    private static Violation? ProbeHosts(PodView pod)
    {
        var hosts = new SortedSet<string>(StringComparer.Ordinal);
        var containers = Offenders(pod, container =>
        {
            JsonNode?[] handlers =
            [
                container["livenessProbe"], container["readinessProbe"], container["startupProbe"],
                container.At("lifecycle", "postStart"), container.At("lifecycle", "preStop"),
            ];
            var named = handlers.SelectMany(handler => (string?[])[handler.At("httpGet", "host").AsString(), handler.At("tcpSocket", "host").AsString()])
                .OfType<string>().Where(host => host.Length > 0).ToList();
            hosts.UnionWith(named);
            return named.Count > 0;
        });
        containers.Sort(StringComparer.Ordinal);
        return containers.Count == 0
            ? null
            : new("probe or lifecycle host", $"{Containers(containers)} {Plural("uses", "use", containers.Count)} "
                + $"{Plural("probe or lifecycle host", "probe or lifecycle hosts", hosts.Count)} {Quoted(hosts)}");
    }

    private static Violation? Privileged(PodView pod)
    {
        var containers = Offenders(pod, container => container.At("securityContext", "privileged").AsBool());
        return containers.Count == 0 ? null : new Violation("privileged", $"{Containers(containers)} must not set securityContext.privileged=true");
    }

    private static Violation? ProcMounts(PodView pod)
    {
        if (pod.HasUsersOfItsOwn)
            return null;
        var types = new SortedSet<string>(StringComparer.Ordinal);
        var containers = Offenders(pod, container =>
            container.At("securityContext", "procMount").AsString() is { } type and not "Default" && (types.Add(type) || true));
        return containers.Count == 0
            ? null
            : new("procMount", $"{Containers(containers)} must not set securityContext.procMount to {Quoted(types)}");
    }

    private static Violation? SeLinux(PodView pod)
    {
        var types = new SortedSet<string>(StringComparer.Ordinal);
        var (user, role) = (false, false);
        var podIsBad = IsBad(pod.SecurityContext.At("seLinuxOptions"));
        var containers = Offenders(pod, container => IsBad(container.At("securityContext", "seLinuxOptions")));
        if (!podIsBad && containers.Count == 0)
            return null;
        var data = new List<string>();
        if (types.Count > 0)
            data.Add($"{Plural("type", "types", types.Count)} {Quoted(types)}");
        if (user)
            data.Add("user may not be set");
        if (role)
            data.Add("role may not be set");
        return new("seLinuxOptions", $"{Setters(podIsBad, containers)} set forbidden securityContext.seLinuxOptions: {string.Join("; ", data)}");

        bool IsBad(JsonNode? options)
        {
            if (options is null)
                return false;
            var type = options["type"].AsString() ?? "";
            var (wrongType, hasUser, hasRole) = (!SeLinuxTypes.Contains(type), options["user"].AsString() is { Length: > 0 }, options["role"].AsString() is { Length: > 0 });
            if (wrongType)
                types.Add(type);
            (user, role) = (user || hasUser, role || hasRole);
            return wrongType || hasUser || hasRole;
        }
    }

    private static Violation? Seccomp(PodView pod)
    {
        var types = new SortedSet<string>(StringComparer.Ordinal);
        var podIsBad = IsBad(pod.SecurityContext);
        var containers = Offenders(pod, container => IsBad(container["securityContext"]));
        return podIsBad || containers.Count > 0
            ? new("seccompProfile", $"{Setters(podIsBad, containers)} must not set securityContext.seccompProfile.type to {Quoted(types)}")
            : null;

        bool IsBad(JsonNode? context) => context.At("seccompProfile", "type").AsString() is { } type
            && type is not ("RuntimeDefault" or "Localhost") && (types.Add(type) || true);
    }

    private static Violation? Sysctls(PodView pod, LevelVersion version)
    {
        IEnumerable<string> safe = SafeSysctls;
        if (version.IsAtLeast(27))
            safe = safe.Concat(SafeSysctlsSince27);
        if (version.IsAtLeast(29))
            safe = safe.Concat(SafeSysctlsSince29);
        if (version.IsAtLeast(32))
            safe = safe.Concat(SafeSysctlsSince32);
        var forbidden = pod.SecurityContext.At("sysctls").Objects().Select(NameOf).Where(name => !safe.Contains(name)).ToList();
        return forbidden.Count == 0 ? null : new Violation("forbidden sysctls", string.Join(", ", forbidden));
    }

    private static Violation? WindowsHostProcess(PodView pod)
    {
        var podIsBad = pod.SecurityContext.At("windowsOptions", "hostProcess").AsBool();
        var containers = Offenders(pod, container => container.At("securityContext", "windowsOptions", "hostProcess").AsBool());
        return podIsBad || containers.Count > 0
            ? new("hostProcess", $"{Setters(podIsBad, containers)} must not set securityContext.windowsOptions.hostProcess=true")
            : null;
    }

    public static List<string> Offenders(PodView pod, Func<JsonObject, bool> offends) =>
        [.. pod.Containers.Where(offends).Select(NameOf)];

    /// <summary>Whether something is said, and what: null where it is not.</summary>
    public static bool? Said(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? node.AsBool() : null;
}
