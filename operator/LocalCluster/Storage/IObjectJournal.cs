namespace Graft.LocalCluster.Storage;

/// <summary>A committed change on its way to a place that outlives the process.</summary>
/// <param name="Object">The object as it is now; of a deletion, as it was last.</param>
internal sealed record JournalEntry(GroupResource Resource, StoredObject Object, bool IsDeletion);

/// <summary>Where changes are kept beyond the life of the process. Entries come in the order of their versions.</summary>
internal interface IObjectJournal
{
    /// <summary>Takes a change over, and returns at once.</summary>
    /// <exception cref="IOException">An earlier change could not be kept: nothing is taken any more.</exception>
    void Append(JournalEntry entry);

    /// <summary>Ends when every change that was taken before the call is safe.</summary>
    /// <exception cref="IOException">It could not be kept.</exception>
    Task FlushedAsync();
}
