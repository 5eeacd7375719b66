namespace Graft.Runtime;

/// <summary>Times as in client-go: 15/10/2 s.</summary>
public sealed record LeaderElectionOptions
{
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary>This process, unlike any other: the pod's name, or host name and a random part.</summary>
    public required string Identity { get; init; }

    /// <summary>How long others wait for a leader that no longer renews.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a leader keeps trying to renew before it gives up; shorter than the lease.</summary>
    public TimeSpan RenewDeadline { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan RetryPeriod { get; init; } = TimeSpan.FromSeconds(2);
}
