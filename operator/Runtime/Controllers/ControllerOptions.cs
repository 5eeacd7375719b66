namespace Graft.Runtime;

/// <summary>How one controller works.</summary>
public sealed record ControllerOptions<T>
{
    /// <summary>In logs and metrics; null is the kind in lower case.</summary>
    public string? Name { get; init; }

    public int MaxConcurrentReconciles { get; init; } = 1;

    /// <summary>A reconcile that takes longer is cancelled and counts as failed. Null is no limit.</summary>
    public TimeSpan? ReconcileTimeout { get; init; }

    /// <summary>
    /// How often every object is reconciled although nothing changed (give or take a tenth): a net below everything else. Null is never.
    /// </summary>
    public TimeSpan? ResyncPeriod { get; init; } = TimeSpan.FromHours(10);

    /// <summary>Which objects are this controller's; null is all that the informers cover.</summary>
    public InformerOptions? Selection { get; init; }

    /// <summary>Which changes of the controller's own kind count; null is <see cref="Predicates.DesiredStateChanged"/>.</summary>
    public EventPredicate<T>? Predicate { get; init; }

    /// <summary>
    /// Reconcile objects that are being deleted, too. Otherwise such objects only see their finalizers, so that no work is started
    /// for what is about to vanish.
    /// </summary>
    public bool ReconcileTerminating { get; init; }
}
