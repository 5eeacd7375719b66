using System.Diagnostics;
using System.Globalization;

namespace Graft.Benchmarks.ApiServerScale;

/// <summary>One server filled, listed, watched and written to.</summary>
internal static class ScaleRun
{
    private const int Lists = 5;

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(ScaleCase measured, bool durable, TimeProvider time, CancellationToken cancel)
    {
        var how = durable ? "durable" : "in memory";
        await using var server = await ScaleServer.StartAsync(durable);
        var connection = ScaleConnection.Of(server.Kubeconfig);
        var objects = new ScaleObjects(measured);
        using var writer = connection.Open();

        Report.Say($"{how}: {measured.Objects} objects of {measured.ObjectBytes} bytes in {measured.Namespaces} namespaces");
        await objects.CreateNamespacesAsync(writer, cancel);
        var empty = await server.HeapAsync();
        var filling = Stopwatch.StartNew();
        await objects.FillAsync(writer, cancel);
        var filled = filling.Elapsed;
        var heap = await server.HeapAsync();

        using var reader = connection.Open();
        var lists = new List<double>();
        for (var i = 0; i < Lists; i++)
            lists.Add((await objects.ListAsync(reader, cancel)).TotalSeconds);

        await using var watches = await ScaleWatches.OpenAsync(connection, measured, cancel);
        Report.Say($"{how}: {measured.WritesPerSecond} writes/s for {measured.Seconds} s, {measured.Watchers} watches");
        var writes = await new ScaleWrites(objects, measured, time).RunAsync(writer, cancel);
        var missing = await watches.MissingAsync(writes.PerNamespace, time, cancel);
        if (missing > 0)
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{missing} events did not reach their watches"));

        var prefix = durable ? "durable_" : "";
        Figure[] figures =
        [
            new($"{prefix}list_{measured.Objects / ScaleCase.Batches}_s", lists.Order().ElementAt(Lists / 2), "s"),
            new($"{prefix}write_p99_ms", writes.Percentile(0.99), "ms"),
            new($"{prefix}write_p50_ms", writes.Percentile(0.50), "ms"),
            new($"{prefix}write_max_ms", writes.Percentile(1), "ms"),
            new($"{prefix}watch_events_per_s", watches.Received / writes.Seconds, "1/s"),
            new($"{prefix}creates_per_s", measured.Objects / filled.TotalSeconds, "1/s"),
            new($"{prefix}rss_mib", server.ResidentMiB(), "MiB"),
        ];
        return durable ? figures : [.. figures, new("kib_per_object", (heap - empty) / 1024.0 / measured.Objects, "KiB")];
    }
}
