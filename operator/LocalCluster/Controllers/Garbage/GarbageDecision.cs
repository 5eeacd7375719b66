namespace Graft.LocalCluster.Controllers.Garbage;

/// <summary>How an owner stands, for one of its dependents.</summary>
internal enum OwnerState
{
    Absent,
    Solid,

    /// <summary>Being deleted in the foreground: it waits for its dependents to go first.</summary>
    WaitsForDependents,
}

internal abstract record GarbageStep
{
    /// <param name="Foreground">Its own dependents go first.</param>
    internal sealed record Delete(bool Foreground) : GarbageStep;

    /// <summary>References to owners that are gone, or let it go, are removed.</summary>
    internal sealed record DropOwners(IReadOnlySet<string> Uids) : GarbageStep;

    internal sealed record RemoveFinalizer(string Name) : GarbageStep;

    /// <summary>Dependents that must lose their reference to this object first.</summary>
    internal sealed record OrphanDependents(IReadOnlyList<ObjectNode> Dependents) : GarbageStep;
}

/// <summary>What to do about one object (kubernetes/pkg/controller/garbagecollector, attemptToDeleteItem).</summary>
internal static class GarbageDecision
{
    public static IEnumerable<GarbageStep> Decide(ObjectNode node, IReadOnlyList<ObjectNode> dependents, IReadOnlyDictionary<string, OwnerState> owners)
    {
        if (node.OrphansDependents)
        {
            if (dependents.Count > 0) yield return new GarbageStep.OrphanDependents(dependents);
            yield return new GarbageStep.RemoveFinalizer(ObjectNode.OrphanFinalizer);
            yield break;
        }
        if (node.WaitsForDependents)
        {
            if (!dependents.Any(d => d.Owners.Any(o => o.Uid == node.Uid && o.BlocksDeletion)))
                yield return new GarbageStep.RemoveFinalizer(ObjectNode.ForegroundFinalizer);
            yield break;
        }
        if (node.IsDeleting || node.Owners.Count == 0) yield break;

        var states = node.Owners.ToLookup(o => owners[o.Uid], o => o.Uid);
        if (states[OwnerState.Solid].Any())
        {
            var let = states[OwnerState.Absent].Concat(states[OwnerState.WaitsForDependents]).ToHashSet();
            if (let.Count > 0) yield return new GarbageStep.DropOwners(let);
        }
        else
        {
            yield return new GarbageStep.Delete(states[OwnerState.WaitsForDependents].Any() && dependents.Count > 0);
        }
    }
}
