using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Tests.Storage;

public sealed class EventLogTests
{
    [Fact]
    public void A_reader_that_falls_out_of_the_ring_has_expired()
    {
        var log = new EventLog(capacity: 4);
        for (var version = 1; version <= 6; version++)
            log.Append(EventAt(version));
        Assert.Throws<ExpiredVersionException>(() => log.PlaceAfter(1));
        Assert.Throws<ExpiredVersionException>(() => Read(log, 0));
        Assert.Equal(3, Read(log, log.PlaceAfter(2))!.ResourceVersion);
        Assert.Null(Read(log, log.PlaceAfter(6)));
    }

    [Fact]
    public void A_reader_at_the_end_is_told_of_the_next_event()
    {
        var log = new EventLog(capacity: 4);
        long place = 0;
        Assert.Null(log.Read(ref place, "", out var appended));
        Assert.False(appended.IsCompleted);
        log.Append(EventAt(1));
        Assert.True(appended.IsCompleted);
    }

    [Fact]
    public void Compaction_expires_older_versions()
    {
        var log = new EventLog(capacity: 4);
        log.Append(EventAt(1));
        log.Append(EventAt(2));
        log.Compact(2);
        Assert.Throws<ExpiredVersionException>(() => log.PlaceAfter(1));
        Assert.Equal(2, log.PlaceAfter(2));
    }

    [Fact]
    public void A_reader_of_a_namespace_reads_and_hears_of_that_one_alone()
    {
        var log = new EventLog(capacity: 4);
        log.Append(EventAt(1, "other"));
        log.Append(EventAt(2, "mine"));
        long place = 0;
        Assert.Equal(2, log.Read(ref place, "mine", out _)!.ResourceVersion);
        Assert.Null(log.Read(ref place, "mine", out var appended));
        log.Append(EventAt(3, "other"));
        Assert.False(appended.IsCompleted);
        log.Append(EventAt(4, "mine"));
        Assert.True(appended.IsCompleted);
        Assert.Equal(4, log.Read(ref place, "mine", out _)!.ResourceVersion);
    }

    [Fact]
    public void A_reader_of_a_quiet_namespace_is_not_expired_by_the_others()
    {
        var log = new EventLog(capacity: 4);
        log.Append(EventAt(1, "mine"));
        long place = 1;
        for (var version = 2; version <= 12; version++)
            log.Append(EventAt(version, "other"));
        Assert.Null(log.Read(ref place, "mine", out _));
        log.Append(EventAt(13, "mine"));
        Assert.Equal(13, log.Read(ref place, "mine", out _)!.ResourceVersion);
    }

    [Fact]
    public void A_reader_that_missed_an_event_of_its_namespace_is_expired()
    {
        var log = new EventLog(capacity: 4);
        long place = 0;
        log.Append(EventAt(1, "mine"));
        for (var version = 2; version <= 6; version++)
            log.Append(EventAt(version, "other"));
        Assert.Throws<ExpiredVersionException>(() => log.Read(ref place, "mine", out _));
    }

    private static StoreEvent? Read(EventLog log, long place) => log.Read(ref place, "", out _);

    private static StoreEvent EventAt(long version, string ns = "") =>
        new(StoreEventType.Added, new StoredObject(new ObjectKey(ns, "a"), new JsonObject(), version), null);
}
