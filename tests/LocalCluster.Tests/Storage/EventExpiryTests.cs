using System.Text.Json.Nodes;
using Graft.LocalCluster.Api;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Tests.Storage;

public sealed class EventExpiryTests
{
    private static readonly GroupResource Events = new("", "events");

    [Fact]
    public void Events_go_an_hour_after_they_last_happened()
    {
        var store = new ObjectStore();
        var clock = new StoppedClock(new DateTimeOffset(2026, 1, 2, 12, 0, 0, TimeSpan.Zero));
        Add(store, "old", "2026-01-02T10:59:00Z");
        Add(store, "young", "2026-01-02T11:01:00Z");
        Add(store, "series", "2026-01-02T10:00:00Z", "2026-01-02T11:30:00.000000Z");
        Add(store, "timeless", null);

        new EventExpiry(store, clock).Sweep();

        Assert.Equal(["series", "timeless", "young"], store.Snapshot(Events).Objects.All.Select(e => e.Key.Name));
    }

    private static void Add(ObjectStore store, string name, string? last, string? series = null)
    {
        var made = new JsonObject { ["metadata"] = new JsonObject { ["namespace"] = "n", ["name"] = name }, ["lastTimestamp"] = last };
        if (series is not null) made["series"] = new JsonObject { ["lastObservedTime"] = series };
        store.Insert(Events, new ObjectKey("n", name), made);
    }

    private sealed class StoppedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
