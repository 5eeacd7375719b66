using System.Buffers;
using System.Text.Json;
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

    private bool _headersSent;

    /// <summary>Serves the request until its timeout, its end, or the end of the place from which it reads.</summary>
    public async Task ServeAsync(HttpContext http, CancellationToken stopping)
    {
        var query = http.Request.Query;
        var bookmarks = query["allowWatchBookmarks"].ToString() is "true" or "1";
        var wantsInitial = query["sendInitialEvents"].ToString() is "true" or "1";
        var seconds = int.TryParse(query["timeoutSeconds"], out var asked) && asked > 0 ? asked : 1800;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(seconds), time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, http.RequestAborted, stopping);

        var (initial, place) = Start(query["resourceVersion"].ToString(), wantsInitial);
        http.Response.ContentType = "application/json";
        await http.Response.StartAsync(ending.Token);
        try
        {
            foreach (var stored in initial?.Objects.Values.Where(selectors.Matches) ?? [])
                await SendAsync(http, "ADDED", writer => renderer.WriteOne(writer, stored, TakeHeaders()), ending.Token);
            if (wantsInitial && bookmarks && initial is not null)
                await SendBookmarkAsync(http, initial.ResourceVersion, true, ending.Token);
            await http.Response.Body.FlushAsync(ending.Token);
            await FollowAsync(http, place, bookmarks, ending.Token);
        }
        catch (ExpiredVersionException e)
        {
            var status = ApiException.Expired(e.Message).ToStatus();
            await SendAsync(http, "ERROR", writer => status.WriteTo(writer), CancellationToken.None);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The end that every watch has.
        }
    }

    private (TableSnapshot? Initial, long Place) Start(string version, bool wantsInitial)
    {
        if (wantsInitial || version is "" or "0")
        {
            var (snapshot, place) = store.SnapshotWithPlace(kind.GroupResource);
            return (snapshot, place);
        }
        if (!long.TryParse(version, out var after))
            throw ApiException.BadRequest($"invalid resource version \"{version}\"");
        try
        {
            // A version from the future is one of an earlier life of this server: the client has to list again.
            if (after > store.ResourceVersion)
                throw new ExpiredVersionException(after, store.ResourceVersion);
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
            while (log.Read(place, out var appended) is { } change)
            {
                place++;
                await SendChangeAsync(http, change, cancellation);
            }
            await http.Response.Body.FlushAsync(cancellation);
            if (log.Read(place, out var signal) is not null)
                continue;
            try
            {
                await signal.WaitAsync(BookmarkInterval, time, cancellation);
            }
            catch (TimeoutException)
            {
                if (bookmarks && store.VersionSeenAt(kind.GroupResource, place) is { } seen && seen > sent)
                {
                    sent = seen;
                    await SendBookmarkAsync(http, seen, false, cancellation);
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
        return SendAsync(http, type, writer => renderer.WriteOne(writer, shown, TakeHeaders()), cancellation);
    }

    /// <summary>What ceases to match is shown as it was when it matched, with the version of the change.</summary>
    private static StoredObject Left(StoreEvent change)
    {
        var content = change.Previous!.Copy();
        content.Metadata()["resourceVersion"] = change.Current.Content.ResourceVersion();
        return new StoredObject(change.Current.Key, content, change.ResourceVersion);
    }

    private Task SendBookmarkAsync(HttpContext http, long version, bool endsInitial, CancellationToken cancellation)
    {
        var bookmark = renderer.Bookmark(version, endsInitial);
        return SendAsync(http, "BOOKMARK", writer => bookmark.WriteTo(writer), cancellation);
    }

    private static async Task SendAsync(HttpContext http, string type, Action<Utf8JsonWriter> write, CancellationToken cancellation)
    {
        var body = http.Response.BodyWriter;
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartObject();
            writer.WriteString("type", type);
            writer.WritePropertyName("object");
            write(writer);
            writer.WriteEndObject();
        }
        body.Write("\n"u8);
        await body.FlushAsync(cancellation);
    }

    /// <summary>Column headers go with the first table of a watch only.</summary>
    private bool TakeHeaders()
    {
        var first = !_headersSent;
        _headersSent = true;
        return first;
    }
}
