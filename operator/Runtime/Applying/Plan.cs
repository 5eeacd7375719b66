using k8s;
using k8s.Models;

namespace Graft.Runtime;

public sealed record PlannedEvent(string Reason, string Message, EventType Type = EventType.Normal);

/// <summary>
/// What a controller decided: pure data, made from the object, what was observed and the time. <see cref="Applier"/> carries it out
/// in this order: objects, deletions, status, events.
/// </summary>
public sealed record Plan<TStatus> where TStatus : class
{
    /// <summary>Objects that should exist as given. They become owned by the entity; only the fields set here are ours.</summary>
    public IReadOnlyList<IKubernetesObject<V1ObjectMeta>> Apply { get; init; } = [];

    /// <summary>Observed objects that should not exist.</summary>
    public IReadOnlyList<IKubernetesObject<V1ObjectMeta>> Delete { get; init; } = [];

    /// <summary>The whole status as it should be; null leaves it alone.</summary>
    public TStatus? Status { get; init; }

    /// <summary>
    /// The status when the API refuses an object of this plan for good (invalid, forbidden, over quota), given the refusal, so that
    /// the person who asked sees why. Null leaves it at an event.
    /// </summary>
    public Func<ApiException, TStatus>? StatusWhenRefused { get; init; }

    /// <summary>Published only after the status is written.</summary>
    public IReadOnlyList<PlannedEvent> Events { get; init; } = [];

    public TimeSpan? RequeueAfter { get; init; }
}
