using System.Net;
using k8s.Models;

namespace Graft.LocalCluster.Network;

/// <summary>From a Service and its EndpointSlices to the ports to listen on.</summary>
internal static class ServicePlan
{
    public static IReadOnlyList<ServicePort> Ports(V1Service service, IEnumerable<V1EndpointSlice> slices)
    {
        // Headless Services have no address, and external names no pods.
        if (!IPAddress.TryParse(service.Spec.ClusterIP, out var address) || !IPAddress.IsLoopback(address)) return [];
        var all = slices.ToList();
        return [.. (service.Spec.Ports ?? []).Where(p => p.Protocol is null or "TCP")
            .Select(port => new ServicePort(new IPEndPoint(address, port.Port), Backends(port, all)))];
    }

    private static List<IPEndPoint> Backends(V1ServicePort port, List<V1EndpointSlice> slices) =>
    [
        .. from slice in slices
           from target in slice.Ports ?? []
           where (target.Name ?? "") == (port.Name ?? "") && target.Port is not null
           from endpoint in slice.Endpoints ?? []
           where endpoint.Conditions?.Ready != false
           from ip in endpoint.Addresses
           where IPAddress.TryParse(ip, out _)
           select new IPEndPoint(IPAddress.Parse(ip), target.Port!.Value),
    ];
}
