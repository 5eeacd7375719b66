using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Graft.LocalCluster.Faults;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Reading;

/// <summary>
/// One watch: the changes of a table after a version, as far as the selectors let them through, one JSON document a line. An object that
/// comes to match is ADDED and one that ceases to is DELETED, whatever happened to it in the store.
/// </summary>
internal sealed class WatchStream(ObjectStore store, ResourceKind kind, Selectors selectors, ObjectRenderer renderer, TimeProvider time)
{
    private static readonly TimeSpan BookmarkInterval = TimeSpan.FromSeconds(30);

    private const int PartBytes = 32 * 1024;

    private bool _headersSent;
    private long _pending;

    // What is not newer is known to the client, also where it named a version that is not there yet.
    private long _after;

    /// <summary>Serves the request until its timeout, its end, or the end of the place from which it reads.</summary>
    public async Task ServeAsync(HttpContext http, CancellationToken stopping)
    {
        var query = http.Request.Query;
        var bookmarks = query["allowWatchBookmarks"].ToString() is "true" or "1";
        var wantsInitial = query["sendInitialEvents"].ToString() is "true" or "1";
        var seconds = int.TryParse(query["timeoutSeconds"], out var asked) && asked > 0 ? asked : 1800;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(seconds), time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, http.RequestAborted, stopping);

        var (initial, place) = Start(query["resourceVersion"].ToString(), wantsInitial, http.Features.Get<StaleRead>());
        http.Response.ContentType = "application/json";
        await http.Response.StartAsync(ending.Token);
        try
        {
            foreach (var stored in initial?.Objects.In(selectors.Namespace).Where(selectors.Matches) ?? [])
                await SendAsync(http, "ADDED", stored, ending.Token);
            if (wantsInitial && bookmarks && initial is not null)
                SendBookmark(http, initial.ResourceVersion, true);
            await FlushAsync(http, ending.Token);
            await FollowAsync(http, place, bookmarks, ending.Token);
        }
        catch (ExpiredVersionException e)
        {
            var status = ApiException.Expired(e.Message).ToStatus();
            Write(http, "ERROR", writer => status.WriteTo(writer));
            await FlushAsync(http, CancellationToken.None);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The end that every watch has.
        }
    }

    private (TableSnapshot? Initial, long Place) Start(string version, bool wantsInitial, StaleRead? stale)
    {
        if (stale is not null)
            return (stale.Snapshot, store.Events(kind.GroupResource).PlaceAfter(stale.Snapshot.ResourceVersion));
        if (wantsInitial || version is "" or "0")
        {
            var (snapshot, place) = store.SnapshotWithPlace(kind.GroupResource);
            return (snapshot, place);
        }
        if (!long.TryParse(version, out var after))
            throw ApiException.BadRequest($"invalid resource version \"{version}\"");
        try
        {
            _after = after;
            return (null, store.Events(kind.GroupResource).PlaceAfter(after));
        }
        catch (ExpiredVersionException e)
        {
            throw ApiException.Expired(e.Message);
        }
    }

    private async Task FollowAsync(HttpContext http, long place, bool bookmarks, CancellationToken cancellation)
    {
        var log = store.Events(kind.GroupResource);
        long sent = 0;
        while (true)
        {
            Task appended;
            while (log.Read(ref place, selectors.Namespace, out appended) is { } change)
            {
                if (change.ResourceVersion > _after)
                    await SendChangeAsync(http, change, cancellation);
            }
            await FlushAsync(http, cancellation);
            try
            {
                await appended.WaitAsync(BookmarkInterval, time, cancellation);
            }
            catch (TimeoutException)
            {
                if (bookmarks && store.VersionSeenAt(kind.GroupResource, place) is { } seen && seen > Math.Max(sent, _after))
                {
                    sent = seen;
                    SendBookmark(http, seen, false);
                }
            }
        }
    }

    private Task SendChangeAsync(HttpContext http, StoreEvent change, CancellationToken cancellation)
    {
        var isIn = change.Type != StoreEventType.Deleted && selectors.Matches(change.Current);
        var wasIn = change.Previous is not null && selectors.Matches(change.Previous);
        if (!isIn && !wasIn)
            return Task.CompletedTask;
        var type = (wasIn, isIn) switch
        {
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            _ => "DELETED",
        };
        var shown = isIn || change.Type == StoreEventType.Deleted ? change.Current : Left(change);
        return SendAsync(http, type, shown, cancellation);
    }

    /// <summary>What ceases to match is shown as it was when it matched, with the version of the change.</summary>
    private static StoredObject Left(StoreEvent change)
    {
        var content = change.Previous!.Copy();
        content.Metadata()["resourceVersion"] = change.Current.Content.ResourceVersion();
        return new StoredObject(change.Current.Key, content, change.ResourceVersion);
    }

    private void SendBookmark(HttpContext http, long version, bool endsInitial)
    {
        var bookmark = renderer.Bookmark(version, endsInitial);
        Write(http, "BOOKMARK", writer => bookmark.WriteTo(writer));
    }

    /// <summary>Sends one event, together with those before it once they are many; a reader that is slow is waited for here.</summary>
    private Task SendAsync(HttpContext http, string type, StoredObject shown, CancellationToken cancellation)
    {
        var body = http.Response.BodyWriter;
        body.Write(Beginning(type));
        if (renderer.TryWriteRaw(body, shown))
        {
            body.Write("}\n"u8);
            _pending += shown.Json.Length;
        }
        else
        {
            _pending += WriteEnd(body, writer => renderer.WriteOne(writer, shown, TakeHeaders()));
        }
        return _pending < PartBytes ? Task.CompletedTask : FlushAsync(http, cancellation);
    }

    private void Write(HttpContext http, string type, Action<Utf8JsonWriter> write)
    {
        http.Response.BodyWriter.Write(Beginning(type));
        _pending += WriteEnd(http.Response.BodyWriter, write);
    }

    private static long WriteEnd(PipeWriter body, Action<Utf8JsonWriter> write)
    {
        using var writer = new Utf8JsonWriter(body, Responses.Writing);
        write(writer);
        writer.Flush();
        body.Write("}\n"u8);
        return writer.BytesCommitted;
    }

    private async Task FlushAsync(HttpContext http, CancellationToken cancellation)
    {
        _pending = 0;
        await http.Response.BodyWriter.FlushAsync(cancellation);
    }

    private static ReadOnlySpan<byte> Beginning(string type) => type switch
    {
        "ADDED" => "{\"type\":\"ADDED\",\"object\":"u8,
        "MODIFIED" => "{\"type\":\"MODIFIED\",\"object\":"u8,
        "DELETED" => "{\"type\":\"DELETED\",\"object\":"u8,
        "BOOKMARK" => "{\"type\":\"BOOKMARK\",\"object\":"u8,
        _ => "{\"type\":\"ERROR\",\"object\":"u8,
    };

    /// <summary>Column headers go with the first table of a watch only.</summary>
    private bool TakeHeaders()
    {
        var first = !_headersSent;
        _headersSent = true;
        return first;
    }
}
