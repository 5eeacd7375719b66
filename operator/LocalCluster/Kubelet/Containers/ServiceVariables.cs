using System.Globalization;
using System.Net;
using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Containers;

/// <summary>The variables by which containers find Services (pkg/kubelet/envvars), the API server's own among them.</summary>
internal static class ServiceVariables
{
    /// <param name="api">Where the API server is: what the Service <c>kubernetes</c> stands for on a cluster.</param>
    /// <param name="services">Those of the pod's namespace, where it wants their variables (enableServiceLinks).</param>
    public static Dictionary<string, string> Of(Uri api, IEnumerable<V1Service> services)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var service in services.OrderBy(s => s.Metadata.Name, StringComparer.Ordinal))
        {
            // Headless Services have no address to name.
            if (service.Spec.ClusterIP is not { Length: > 0 } ip || !IPAddress.TryParse(ip, out _) || service.Spec.Ports is not { Count: > 0 } ports) continue;
            Add(result, service.Metadata.Name, ip, [.. ports.Select(p => (p.Name, p.Protocol ?? "TCP", p.Port))]);
        }
        Add(result, "kubernetes", api.Host, [("https", "TCP", api.Port)]);
        return result;
    }

    private static void Add(Dictionary<string, string> result, string service, string ip, IReadOnlyList<(string? Name, string Protocol, int Port)> ports)
    {
        var prefix = Variable(service);
        result[$"{prefix}_SERVICE_HOST"] = ip;
        result[$"{prefix}_SERVICE_PORT"] = Text(ports[0].Port);
        foreach (var (name, protocol, port) in ports)
        {
            if (name is { Length: > 0 }) result[$"{prefix}_SERVICE_PORT_{Variable(name)}"] = Text(port);
            var (url, one) = ($"{protocol.ToLowerInvariant()}://{ip}:{Text(port)}", $"{prefix}_PORT_{Text(port)}_{protocol.ToUpperInvariant()}");
            result.TryAdd($"{prefix}_PORT", url);
            result[one] = url;
            result[one + "_PROTO"] = protocol.ToLowerInvariant();
            result[one + "_PORT"] = Text(port);
            result[one + "_ADDR"] = ip;
        }
    }

    private static string Variable(string name) => name.ToUpperInvariant().Replace('-', '_');

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
