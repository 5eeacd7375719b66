using System.Globalization;
using k8s.Models;

namespace Graft.LocalCluster.Kubelet.Probes;

/// <summary>The request of an httpGet, of probes and of hooks (pkg/probe/http/request.go).</summary>
internal static class HttpGet
{
    private const string UserAgent = "kube-probe/1.33";

    /// <exception cref="IOException">The port is named, and the container has none of that name.</exception>
    public static HttpRequestMessage Request(V1HTTPGetAction get, V1Container container, string podIp)
    {
        var path = get.Path is { Length: > 0 } p ? p.StartsWith('/') ? p : "/" + p : "/";
        var host = get.Host is { Length: > 0 } named ? named : podIp;
        var request = new HttpRequestMessage(
            HttpMethod.Get, new Uri($"{(get.Scheme ?? "HTTP").ToLowerInvariant()}://{host}:{Port(get.Port.Value, container)}{path}"));
        foreach (var group in (get.HttpHeaders ?? []).GroupBy(h => h.Name, StringComparer.OrdinalIgnoreCase))
            request.Headers.TryAddWithoutValidation(group.Key, group.Select(h => h.Value));
        if (!request.Headers.Contains("User-Agent")) request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        if (!request.Headers.Contains("Accept")) request.Headers.TryAddWithoutValidation("Accept", "*/*");
        return request;
    }

    /// <exception cref="IOException">It is a name, and the container has no port of that name.</exception>
    public static int Port(string value, V1Container container) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : container.Ports?.FirstOrDefault(p => p.Name == value)?.ContainerPort ?? throw new IOException($"couldn't find port: {value}");
}
