using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Kinds;

/// <summary>
/// How the lists and structs of the built-in kinds merge, in the terms of the real OpenAPI document: <c>x-kubernetes-list-type</c> and
/// <c>-map-keys</c> for server-side apply, <c>x-kubernetes-patch-strategy</c> and <c>-merge-key</c> for strategic merge patch. A list that
/// is not here is atomic for both. (Kubernetes API reference and the +listType, +patchStrategy markers of k8s.io/api.)
/// </summary>
internal static class ListTopology
{
    /// <param name="MergeKey">The key of strategic merge patch; empty: the list of scalars is a set.</param>
    /// <param name="MapKeys">The keys of server-side apply; null: a set, or atomic if <paramref name="Atomic"/>.</param>
    /// <param name="Patched">Strategic merge patch merges it too.</param>
    private sealed record Topology(string MergeKey, string[]? MapKeys, bool RetainKeys = false, bool Atomic = false, bool Patched = true);

    private static readonly Dictionary<string, Topology> Lists = new(StringComparer.Ordinal)
    {
        ["V1ObjectMeta.ownerReferences"] = new("uid", ["uid"]),
        ["V1ObjectMeta.finalizers"] = new("", null),
        ["V1PodSpec.containers"] = new("name", ["name"]),
        ["V1PodSpec.initContainers"] = new("name", ["name"]),
        ["V1PodSpec.ephemeralContainers"] = new("name", ["name"]),
        ["V1PodSpec.volumes"] = new("name", ["name"], RetainKeys: true),
        ["V1PodSpec.imagePullSecrets"] = new("name", ["name"]),
        ["V1PodSpec.hostAliases"] = new("ip", ["ip"]),
        ["V1PodSpec.resourceClaims"] = new("name", ["name"], RetainKeys: true),
        ["V1PodSpec.schedulingGates"] = new("name", ["name"]),
        ["V1PodSpec.topologySpreadConstraints"] = new("topologyKey", ["topologyKey", "whenUnsatisfiable"]),
        ["V1PodStatus.conditions"] = new("type", ["type"]),
        ["V1PodStatus.podIPs"] = new("ip", ["ip"]),
        ["V1PodStatus.hostIPs"] = new("ip", null, Atomic: true),
        ["V1PodStatus.resourceClaimStatuses"] = new("name", ["name"], RetainKeys: true),
        ["V1ContainerStatus.volumeMounts"] = new("mountPath", ["mountPath"]),
        ["V1PodFailurePolicyOnExitCodesRequirement.values"] = new("", null, Patched: false),
        ["V1Endpoint.addresses"] = new("", null, Patched: false),
        ["V1Container.env"] = new("name", ["name"]),
        ["V1Container.ports"] = new("containerPort", ["containerPort", "protocol"]),
        ["V1Container.volumeMounts"] = new("mountPath", ["mountPath"]),
        ["V1Container.volumeDevices"] = new("devicePath", ["devicePath"]),
        ["V1EphemeralContainer.env"] = new("name", ["name"]),
        ["V1EphemeralContainer.ports"] = new("containerPort", ["containerPort", "protocol"]),
        ["V1EphemeralContainer.volumeMounts"] = new("mountPath", ["mountPath"]),
        ["V1EphemeralContainer.volumeDevices"] = new("devicePath", ["devicePath"]),
        ["V1ResourceRequirements.claims"] = new("name", ["name"]),
        ["V1ServiceSpec.ports"] = new("port", ["port", "protocol"]),
        ["V1ServiceStatus.conditions"] = new("type", ["type"]),
        ["V1ServiceAccount.secrets"] = new("name", ["name"]),
        ["V1NamespaceStatus.conditions"] = new("type", ["type"]),
        ["V1NodeSpec.podCIDRs"] = new("", null),
        ["V1NodeStatus.conditions"] = new("type", ["type"]),
        ["V1NodeStatus.addresses"] = new("type", ["type"]),
        ["V1PersistentVolumeClaimStatus.conditions"] = new("type", ["type"]),
        ["V1DeploymentStatus.conditions"] = new("type", ["type"]),
        ["V1ReplicaSetStatus.conditions"] = new("type", ["type"]),
        ["V1JobStatus.conditions"] = new("type", null, Atomic: true),
        ["V1CustomResourceDefinitionStatus.conditions"] = new("type", ["type"]),
    };

    private static readonly HashSet<string> AtomicTypes = new(StringComparer.Ordinal)
    {
        "V1LabelSelector", "V1OwnerReference", "V1LocalObjectReference", "V1ObjectReference", "V1SecretKeySelector",
        "V1ConfigMapKeySelector",
        "V1ObjectFieldSelector", "V1ResourceFieldSelector", "V1TypedLocalObjectReference", "V1NodeSelector", "V1NodeSelectorTerm",
        "V1SecretReference", "V1RoleRef", "Rbacv1Subject", "V1EndpointAddress", "V1ScopeSelector",
    };

    // The selectors of these are maps whose owner is one, as in the real document.
    private static readonly HashSet<string> AtomicMaps = new(StringComparer.Ordinal)
    {
        "V1PodSpec.nodeSelector", "V1ServiceSpec.selector",
    };

    private static readonly HashSet<string> RetainKeysStructs = new(StringComparer.Ordinal) { "V1DeploymentSpec.strategy" };

    /// <summary>Every field that the tables name, as <c>MODEL.FIELD</c>.</summary>
    public static IEnumerable<string> Paths => [.. Lists.Keys, .. AtomicMaps, .. RetainKeysStructs];

    /// <summary>Every model that is owned as a whole.</summary>
    public static IEnumerable<string> Models => AtomicTypes;

    /// <summary>The schema of one field of a model, with what is known of its merging.</summary>
    public static TypeSchema Annotate(string model, string field, TypeSchema schema)
    {
        var path = $"{model}.{field}";
        if (AtomicMaps.Contains(path))
            schema = schema with { MapType = "atomic" };
        if (RetainKeysStructs.Contains(path))
            schema = schema with { PatchStrategies = ["retainKeys"] };
        // A default in the schema, because the protocol is part of the key by which server-side apply finds a port.
        if (path is "V1ContainerPort.protocol" or "V1ServicePort.protocol")
            schema = schema with { HasDefault = true, Default = "TCP" };
        if (!schema.IsArray)
            return schema;
        if (!Lists.TryGetValue(path, out var topology))
            return schema with { ListType = "atomic" };
        return schema with
        {
            PatchStrategies = !topology.Patched ? [] : topology.RetainKeys ? ["merge", "retainKeys"] : ["merge"],
            PatchMergeKey = topology.MergeKey.Length > 0 ? topology.MergeKey : null,
            ListType = topology.Atomic ? "atomic" : topology.MapKeys is null ? "set" : "map",
            ListMapKeys = topology.MapKeys ?? [],
        };
    }

    /// <summary>atomic for structs that are owned as a whole; null for the others.</summary>
    public static string? MapTypeOf(string model) => AtomicTypes.Contains(model) ? "atomic" : null;
}
