using System.Globalization;
using Graft.Contract;
using Graft.Operator.Api;
using Graft.Operator.Pods;
using Graft.Operator.Sources;
using k8s.Models;

namespace Graft.Operator.Rollout;

/// <summary>The objects that serve: a Deployment and a Service, both of the AdapterDeployment's name.</summary>
internal static class ServerObjects
{
    private const string PortName = "http";

    public static Dictionary<string, string> Labels(AdapterDeployment resource) =>
        PodParts.Labels("graft-server", resource.Metadata.Name, ApiNames.AdapterDeploymentLabel);

    /// <summary>What selects the pods; it can never change, so it is no more than it must be.</summary>
    public static Dictionary<string, string> Selector(AdapterDeployment resource) =>
        new() { [ApiNames.AdapterDeploymentLabel] = resource.Metadata.Name };

    public static string SelectorText(AdapterDeployment resource) => $"{ApiNames.AdapterDeploymentLabel}={resource.Metadata.Name}";

    public static V1Deployment Deployment(AdapterDeployment resource, ServerPlacement placement, string image, FetchSettings fetch) => new()
    {
        ApiVersion = "apps/v1",
        Kind = "Deployment",
        Metadata = Metadata(resource),
        Spec = new()
        {
            Replicas = resource.Spec.Replicas,
            Selector = new() { MatchLabels = Selector(resource) },
            Template = new() { Metadata = new() { Labels = Labels(resource) }, Spec = PodSpec(resource, placement, image, fetch) },
        },
    };

    public static V1Service Service(AdapterDeployment resource) => new()
    {
        ApiVersion = "v1",
        Kind = "Service",
        Metadata = Metadata(resource),
        Spec = new()
        {
            Selector = Selector(resource),
            Ports = [new() { Name = PortName, Port = ContractPorts.Server, TargetPort = ContractPorts.Server, Protocol = "TCP" }],
        },
    };

    private static V1ObjectMeta Metadata(AdapterDeployment resource) => new()
    {
        Name = resource.Metadata.Name,
        NamespaceProperty = resource.Metadata.NamespaceProperty,
        Labels = Labels(resource),
    };

    private static V1PodSpec PodSpec(AdapterDeployment resource, ServerPlacement placement, string image, FetchSettings fetch) => new()
    {
        AutomountServiceAccountToken = false,
        EnableServiceLinks = false,
        SecurityContext = PodParts.PodSecurity,
        NodeSelector = PodParts.NodeSelector(resource.Spec.Resources),
        Volumes = placement.Mounts.Volumes,
        Containers =
        [
            new()
            {
                Name = ApiNames.ServerContainer,
                Image = image,
                Args =
                [
                    "--model", placement.Model,
                    .. placement.Credentials is { } folder ? ["--model-credentials", folder] : Array.Empty<string>(),
                    "--served-model-name", resource.Metadata.Name,
                    "--port", ContractPorts.Server.ToString(CultureInfo.InvariantCulture),
                    .. resource.Spec.Engine.Graft?.Args ?? [],
                ],
                Env = PodParts.Environment(placement.Mounts, fetch),
                Ports = [new() { Name = PortName, ContainerPort = ContractPorts.Server, Protocol = "TCP" }],
                ReadinessProbe = new()
                {
                    HttpGet = new() { Path = "/health", Port = ContractPorts.Server },
                    PeriodSeconds = 1,
                    TimeoutSeconds = 2,
                    FailureThreshold = 3,
                },
                Resources = PodParts.Resources(resource.Spec.Resources),
                SecurityContext = PodParts.ContainerSecurity,
                VolumeMounts = placement.Mounts.Mounts,
                TerminationMessagePolicy = "FallbackToLogsOnError",
            },
        ],
    };
}
