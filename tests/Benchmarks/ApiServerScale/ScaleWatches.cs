using System.Globalization;

namespace Graft.Benchmarks.ApiServerScale;

/// <summary>Watches that really read: each counts the lines that reach it.</summary>
internal sealed class ScaleWatches : IAsyncDisposable
{
    private const int WatchesPerClient = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly List<HttpClient> _clients = [];
    private readonly List<(int? Namespace, Task Reading)> _watches = [];
    private readonly CancellationTokenSource _stop = new();
    private long[] _counts = [];

    private ScaleWatches()
    {
    }

    /// <summary>Events that reached all watches together.</summary>
    public long Received => _counts.Sum(count => Interlocked.Read(ref count));

    public static async Task<ScaleWatches> OpenAsync(ScaleConnection connection, ScaleCase measured, CancellationToken cancel)
    {
        var watches = new ScaleWatches { _counts = new long[measured.Watchers] };
        using var first = connection.Open();
        var list = await first.GetStringAsync("/api/v1/configmaps?limit=1", cancel);
        var version = System.Text.Json.JsonDocument.Parse(list).RootElement.GetProperty("metadata").GetProperty("resourceVersion").GetString();
        for (var i = 0; i < measured.Watchers; i++)
        {
            if (i % WatchesPerClient == 0)
                watches._clients.Add(connection.Open());
            int? ns = i < measured.ClusterWatchers ? null : i % measured.Namespaces;
            var path = ns is { } n ? ScaleObjects.Path(n) : "/api/v1/configmaps";
            var answer = await watches._clients[^1].GetAsync(
                string.Create(CultureInfo.InvariantCulture, $"{path}?watch=true&resourceVersion={version}"), HttpCompletionOption.ResponseHeadersRead, cancel);
            answer.EnsureSuccessStatusCode();
            watches._watches.Add((ns, watches.ReadAsync(answer, i)));
        }
        return watches;
    }

    /// <summary>Waits until every watch has what was written to its namespace, and says how many events are missing at last.</summary>
    public async Task<long> MissingAsync(IReadOnlyList<int> writesPerNamespace, TimeProvider time, CancellationToken cancel)
    {
        var waited = TimeSpan.Zero;
        while (true)
        {
            var missing = _watches.Select((watch, i) =>
                (watch.Namespace is { } n ? writesPerNamespace[n] : writesPerNamespace.Sum()) - Interlocked.Read(ref _counts[i])).Sum();
            if (missing == 0 || waited > Patience)
                return missing;
            await Task.Delay(Pause, time, cancel);
            waited += Pause;
        }
    }

    private async Task ReadAsync(HttpResponseMessage answer, int index)
    {
        using (answer)
        {
            await using var body = await answer.Content.ReadAsStreamAsync(_stop.Token);
            var buffer = new byte[1 << 15];
            while (await body.ReadAsync(buffer, _stop.Token) is > 0 and var read)
                Interlocked.Add(ref _counts[index], buffer.AsSpan(0, read).Count((byte)'\n'));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var (_, reading) in _watches)
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var client in _clients)
            client.Dispose();
        _stop.Dispose();
    }
}
