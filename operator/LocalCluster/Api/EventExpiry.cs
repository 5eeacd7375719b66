using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api;

/// <summary>
/// Removes events an hour after they last happened, as kube-apiserver does by default
/// (--event-ttl, https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/).
/// </summary>
internal sealed class EventExpiry(ObjectStore store, TimeProvider time)
{
    private static readonly GroupResource Events = new("", "events");
    private static readonly TimeSpan Life = TimeSpan.FromHours(1);
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await Task.Delay(Interval, time, cancellation);
            Sweep();
        }
    }

    public void Sweep()
    {
        var now = time.GetUtcNow();
        foreach (var stored in store.Snapshot(Events).Objects.All.Where(stored => IsOver(stored.Content, now)))
        {
            try
            {
                store.Remove(Events, stored);
            }
            catch (WriteConflictException)
            {
                // It happened again, or went, meanwhile.
            }
        }
    }

    private static bool IsOver(JsonObject happened, DateTimeOffset now)
    {
        var last = happened.At("series", "lastObservedTime").AsTime() ?? happened["lastTimestamp"].AsTime() ?? happened["eventTime"].AsTime()
            ?? happened.At("metadata", "creationTimestamp").AsTime();
        return last is { } time && now - time > Life;
    }
}
