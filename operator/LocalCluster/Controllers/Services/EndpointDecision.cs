using System.Globalization;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Services;

/// <summary>Which pods answer for a Service, and on which ports.</summary>
internal static class EndpointDecision
{
    public static bool Selects(V1Service service, V1Pod pod) =>
        service.Spec.Selector is { Count: > 0 } selector
        && service.Metadata.NamespaceProperty == pod.Metadata.NamespaceProperty
        && selector.All(s => pod.Metadata.Labels?.TryGetValue(s.Key, out var value) == true && value == s.Value);

    /// <summary>The one EndpointSlice of a Service; null for a Service without selector, whose slices are somebody else's.</summary>
    public static V1EndpointSlice? Slice(V1Service service, IEnumerable<V1Pod> pods)
    {
        if (service.Spec.Selector is not { Count: > 0 }) return null;
        var behind = pods.Where(p => Selects(service, p) && p.Status?.PodIP is { Length: > 0 } && !Pods.IsTerminal(p))
            .OrderBy(p => p.Metadata.Name, StringComparer.Ordinal).ToList();
        return new V1EndpointSlice
        {
            ApiVersion = "discovery.k8s.io/v1",
            Kind = "EndpointSlice",
            Metadata = new V1ObjectMeta
            {
                Name = service.Metadata.Name + "-local",
                NamespaceProperty = service.Metadata.NamespaceProperty,
                Labels = new Dictionary<string, string>
                {
                    ["kubernetes.io/service-name"] = service.Metadata.Name,
                    ["endpointslice.kubernetes.io/managed-by"] = "endpointslice-controller.k8s.io",
                },
                OwnerReferences = [Pods.ControllerReference(service)],
            },
            AddressType = "IPv4",
            Endpoints = [.. behind.Select(p => Endpoint(service, p))],
            Ports = [.. (service.Spec.Ports ?? []).Select(port => Port(port, behind)).OfType<Discoveryv1EndpointPort>()],
        };
    }

    private static V1Endpoint Endpoint(V1Service service, V1Pod pod)
    {
        var serving = Pods.IsReady(pod) || service.Spec.PublishNotReadyAddresses == true;
        return new V1Endpoint
        {
            Addresses = [pod.Status.PodIP],
            Conditions = new V1EndpointConditions { Ready = serving && !Pods.IsDeleting(pod), Serving = serving, Terminating = Pods.IsDeleting(pod) },
            NodeName = pod.Spec.NodeName,
            TargetRef = new V1ObjectReference
            {
                Kind = "Pod", Name = pod.Metadata.Name, NamespaceProperty = pod.Metadata.NamespaceProperty, Uid = pod.Metadata.Uid,
            },
        };
    }

    private static Discoveryv1EndpointPort? Port(V1ServicePort port, List<V1Pod> pods)
    {
        var target = port.TargetPort?.Value is { Length: > 0 } value ? value : port.Port.ToString(CultureInfo.InvariantCulture);
        int? number = int.TryParse(target, NumberStyles.None, CultureInfo.InvariantCulture, out var fixedPort) && fixedPort > 0
            ? fixedPort
            : pods.SelectMany(p => p.Spec.Containers).SelectMany(c => c.Ports ?? []).FirstOrDefault(p => p.Name == target)?.ContainerPort;
        return number is null ? null : new Discoveryv1EndpointPort { Name = port.Name ?? "", Port = number, Protocol = port.Protocol ?? "TCP" };
    }
}
