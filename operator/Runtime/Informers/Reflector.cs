using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Graft.Runtime;

/// <summary>
/// Keeps a store equal to the server: list in pages, watch from the list's version with bookmarks, resume from the last version
/// seen when a watch ends, and list again when that version is too old (410, as an HTTP answer or as an ERROR event). A new list is
/// compared with the store, so that objects that vanished meanwhile are told as deleted.
/// </summary>
internal sealed class Reflector<T> where T : class, IKubernetesObject<V1ObjectMeta>
{
    private const int PageSize = 500;
    private static readonly TimeSpan MinBackoff = TimeSpan.FromMilliseconds(800);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(30);

    // The server ends a watch after its timeoutSeconds; one that says nothing for this long after that has a dead connection.
    private static readonly TimeSpan WatchGrace = TimeSpan.FromSeconds(30);

    private readonly ResourceClient<T> _client;
    private readonly InformerOptions _options;
    private readonly ObjectStore<T> _store;
    private readonly Action<Func<InformerEvent<T>?>> _raise;
    private readonly TimeProvider _time;
    private readonly ILogger? _logger;
    private readonly Random _jitter;
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastActivityTicks;

    /// <param name="raise">Runs the change of the store and tells the event that it returns, as one step.</param>
    public Reflector(
        ResourceClient<T> client, InformerOptions options, ObjectStore<T> store, Action<Func<InformerEvent<T>?>> raise,
        TimeProvider time, ILogger? logger, Random jitter)
    {
        (_client, _options, _store, _raise, _time, _logger, _jitter) = (client, options, store, raise, time, logger, jitter);
        Touch();
    }

    public Task Synced => _synced.Task;

    public DateTimeOffset LastActivity => new(Interlocked.Read(ref _lastActivityTicks), TimeSpan.Zero);

    public async Task RunAsync(CancellationToken ct)
    {
        string? version = null;
        var failures = 0;
        while (!ct.IsCancellationRequested)
        {
            var started = _time.GetTimestamp();
            try
            {
                version ??= await ListAsync(ct).ConfigureAwait(false);
                await WatchAsync(version, v => version = v, ct).ConfigureAwait(false);
                // A watch that ends at once, again and again, must not become a busy loop.
                failures = _time.GetElapsedTime(started) < TimeSpan.FromSeconds(1) ? failures + 1 : 0;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (ApiException e) when (e.IsGone)
            {
                _logger?.LogInformation("{Kind}: resource version {Version} is too old, listing again", _client.Kind.Kind, version);
                // At most one list without a pause; a server that answers 410 to a fresh list's version is in trouble.
                failures = version is null || failures > 0 ? failures + 1 : 0;
                version = null;
                if (failures == 0)
                    continue;
            }
            catch (Exception e)
            {
                failures = _time.GetElapsedTime(started) > MaxBackoff ? 1 : failures + 1;
                // Transient trouble resumes where it was; after anything else (a kind that is gone, lost permission) start afresh.
                if (e is ApiException { IsTransient: false } or InvalidDataException)
                    version = null;
                _logger?.LogWarning("{Kind}: list or watch failed: {Error}", _client.Kind.Kind, e.Message);
            }

            if (failures > 0)
                await PauseAsync(failures, ct).ConfigureAwait(false);
        }
    }

    private async Task PauseAsync(int failures, CancellationToken ct)
    {
        var ceiling = Math.Min(MaxBackoff.TotalMilliseconds, MinBackoff.TotalMilliseconds * Math.Pow(2, failures - 1));
        var delay = TimeSpan.FromMilliseconds(ceiling * (0.5 + _jitter.NextDouble() / 2));
        await Task.Delay(delay, _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<string> ListAsync(CancellationToken ct)
    {
        var seen = new HashSet<ObjectKey>();
        var request = Selection() with { Limit = PageSize };
        var items = new List<T>();
        ObjectPage<T> page;
        do
        {
            page = await _client.ListPageAsync(request, ct).ConfigureAwait(false);
            items.AddRange(page.Items);
            foreach (var (key, problem) in page.Unreadable)
            {
                // It is there, only not understood: what is known of it stays.
                seen.Add(key);
                _logger?.LogError("{Problem}", problem);
            }

            request = request with { Continue = page.Continue };
        }
        while (page.Continue is not null);

        foreach (var item in items)
        {
            seen.Add(ObjectKey.Of(item));
            Tell(item);
        }

        // Gone while no watch ran. The version of the deletion is unknown, but it is at most the list's.
        foreach (var key in _store.Told().Keys.Where(key => !seen.Contains(key)))
            TellGone(key, page.ResourceVersion, null);
        _store.TellVersion(page.ResourceVersion);
        Touch();
        _synced.TrySetResult();
        return page.ResourceVersion;
    }

    private async Task WatchAsync(string version, Action<string> advance, CancellationToken ct)
    {
        var seconds = 300 + _jitter.Next(300);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds) + WatchGrace, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        try
        {
            using var watch = await _client.WatchAsync(
                Selection() with { ResourceVersion = version, TimeoutSeconds = seconds }, true, both.Token).ConfigureAwait(false);
            Touch();
            await foreach (var e in watch.WithCancellation(both.Token).ConfigureAwait(false))
            {
                Touch();
                Handle(e);
                if (e.ResourceVersion.Length > 0)
                    advance(e.ResourceVersion);
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw new TimeoutException("the watch outlived its timeout, so its connection is dead.");
        }
    }

    private void Handle(WatchEvent<T> e)
    {
        switch (e.Change)
        {
            case WatchChange.Added or WatchChange.Modified:
                Tell(e.Object!);
                break;
            case WatchChange.Deleted:
                TellGone(e.Key, e.ResourceVersion, e.Object);
                break;
            case WatchChange.Bookmark:
                _store.TellVersion(e.ResourceVersion);
                break;
            default:
                _logger?.LogError("{Problem}", e.Problem);
                break;
        }
    }

    private void Tell(T value)
    {
        var key = ObjectKey.Of(value);
        // Deleted and made again while no watch ran: whoever follows one incarnation must hear of its end.
        if (_store.ToldOf(key) is { } before && before.Metadata.Uid != value.Metadata.Uid)
            TellGone(key, before.Metadata.ResourceVersion, null);
        _raise(() => Store(key, value));
    }

    private InformerEvent<T>? Store(ObjectKey key, T value)
    {
        value.Metadata.ManagedFields = null;
        var old = _store.Tell(key, value);
        if (old is null)
            return new InformerEvent<T>(InformerChange.Added, null, value);
        // The same version again, from a new list: nothing happened.
        if (old.Metadata.ResourceVersion == value.Metadata.ResourceVersion)
            return null;
        return new InformerEvent<T>(InformerChange.Updated, old, value);
    }

    private void TellGone(ObjectKey key, string? version, T? last) => _raise(() =>
    {
        var old = _store.TellGone(key, version);
        return old is null ? null : new InformerEvent<T>(InformerChange.Deleted, old, last ?? old);
    });

    private ListOptions Selection() => new()
    {
        Namespace = _options.Namespace, LabelSelector = _options.LabelSelector, FieldSelector = _options.FieldSelector,
    };

    private void Touch() => Interlocked.Exchange(ref _lastActivityTicks, _time.GetUtcNow().UtcTicks);
}
