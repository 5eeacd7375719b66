using k8s.Models;

namespace Graft.LocalCluster.Kubelet;

/// <summary>Fields of a pod that its containers may ask for (the downward API).</summary>
internal static class PodFields
{
    /// <returns>Null when the field is not one of those that can be asked for.</returns>
    public static string? Read(V1Pod pod, string podIp, string field)
    {
        if (Keyed(field, "metadata.labels") is { } label) return pod.Metadata.Labels?.TryGetValue(label, out var l) == true ? l : "";
        if (Keyed(field, "metadata.annotations") is { } note) return pod.Metadata.Annotations?.TryGetValue(note, out var a) == true ? a : "";
        return field switch
        {
            "metadata.name" => pod.Metadata.Name,
            "metadata.namespace" => pod.Metadata.NamespaceProperty,
            "metadata.uid" => pod.Metadata.Uid,
            "metadata.labels" => Lines(pod.Metadata.Labels),
            "metadata.annotations" => Lines(pod.Metadata.Annotations),
            "spec.nodeName" => pod.Spec.NodeName,
            "spec.serviceAccountName" => pod.Spec.ServiceAccountName ?? "default",
            "status.podIP" or "status.podIPs" => podIp,
            "status.hostIP" or "status.hostIPs" => "127.0.0.1",
            _ => null,
        };
    }

    /// <summary>A container's limit or request in units of the divisor; what has no limit gets the node's size.</summary>
    public static string? ReadResource(V1Pod pod, V1ResourceFieldSelector selector, V1Container self)
    {
        var container = selector.ContainerName is { Length: > 0 } name ? pod.Spec.Containers.FirstOrDefault(c => c.Name == name) : self;
        var parts = selector.Resource.Split('.', 2);
        var from = parts[0] switch { "limits" => container?.Resources?.Limits, "requests" => container?.Resources?.Requests, _ => null };
        if (parts.Length != 2 || container is null || parts[0] is not ("limits" or "requests")) return null;
        var amount = from?.TryGetValue(parts[1], out var quantity) == true ? quantity.ToDecimal() : parts[1] switch
        {
            "cpu" => Environment.ProcessorCount,
            "memory" => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            _ => 0,
        };
        var divisor = selector.Divisor?.ToDecimal() ?? 0;
        return Math.Ceiling(amount / (divisor == 0 ? 1 : divisor)).ToString("0", System.Globalization.CultureInfo.InvariantCulture);
    }

    private static string? Keyed(string field, string map) =>
        field.StartsWith(map + "['", StringComparison.Ordinal) && field.EndsWith("']", StringComparison.Ordinal) ? field[(map.Length + 2)..^2] : null;

    private static string Lines(IDictionary<string, string>? map) =>
        string.Join('\n', (map ?? new Dictionary<string, string>()).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}=\"{p.Value}\""));
}
