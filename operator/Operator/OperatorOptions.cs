using Graft.Operator.Sources;

namespace Graft.Operator;

/// <summary>How the operator reaches the programs in its pods.</summary>
internal enum PodAccess
{
    /// <summary>By the pod's address: inside the cluster, or on the machine that the pods run on.</summary>
    Direct,

    /// <summary>Through the API server's pod proxy: from anywhere else.</summary>
    Proxy,
}

/// <summary>What <c>status.endpoint</c> of an AdapterDeployment is made of.</summary>
internal enum ServiceAddress { Dns, ClusterIP }

/// <summary>What a person decides about the operator as a whole, as opposed to about one resource.</summary>
internal sealed record OperatorOptions
{
    public const string DefaultTrainerImage = "ghcr.io/graft-dev/graft-trainer:0.1.0";
    public const string DefaultServerImage = "ghcr.io/graft-dev/graft-server:0.1.0";
    public const string DefaultOperatorImage = "ghcr.io/graft-dev/graft-operator:0.1.0";

    /// <summary>Image of a run whose spec names none.</summary>
    public string TrainerImage { get; init; } = DefaultTrainerImage;

    /// <summary>Image of a deployment whose spec names none.</summary>
    public string ServerImage { get; init; } = DefaultServerImage;

    /// <summary>The one namespace that is looked at; null for all.</summary>
    public string? Namespace { get; init; }
    public PodAccess PodAccess { get; init; } = PodAccess.Direct;
    public ServiceAddress ServiceAddress { get; init; } = ServiceAddress.Dns;
    public SourceOptions Sources { get; init; } = SourceOptions.ClusterOnly;

    /// <summary>How often a running trainer is asked how far it is.</summary>
    public TimeSpan ProgressInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>After how long an answer from a pod is given up.</summary>
    public TimeSpan ProgressTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>After how long a load or unload is given up.</summary>
    public TimeSpan EngineTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a trainer's pod may fail to start its container before the run has failed; decision 7.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How often something that waits for a person or another object is looked at again.</summary>
    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromSeconds(30);
}
