using k8s;

namespace Graft.Runtime;

public enum LeaderElectionType
{
    /// <summary>This process always leads: there is only one.</summary>
    None,

    /// <summary>One Lease for all controllers of the operator.</summary>
    Single,
}

public sealed class OperatorSettings
{
    /// <summary>Field manager, event source and the lease's name.</summary>
    public string Name { get; set; } = "operator";

    /// <summary>The namespace to work in; null is all.</summary>
    public string? Namespace { get; set; }

    /// <summary>How the API server is reached; null is the pod's service account or the default kubeconfig.</summary>
    public KubernetesClientConfiguration? Connection { get; set; }

    public LeaderElectionType LeaderElectionType { get; set; } = LeaderElectionType.Single;

    /// <summary>Where the lease lies; null is the namespace of the pod, or of the kubeconfig's context.</summary>
    public string? LeaderElectionNamespace { get; set; }

    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(15);

    public TimeSpan RenewDeadline { get; set; } = TimeSpan.FromSeconds(10);

    public TimeSpan RetryPeriod { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Who this process is among its replicas; null is the host's name (in a pod: the pod's) and the process id.</summary>
    public string? Identity { get; set; }

    /// <summary>Where /healthz, /readyz and /metrics are served, for instance http://0.0.0.0:8081; null is nowhere.</summary>
    public Uri? Endpoint { get; set; }

    /// <summary>
    /// Not ready when a watch has been silent for longer. A watch ends and starts again within ten minutes even if nothing happens.
    /// </summary>
    public TimeSpan SilenceLimit { get; set; } = TimeSpan.FromMinutes(11);
}
