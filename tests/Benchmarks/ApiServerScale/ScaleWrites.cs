using System.Diagnostics;

namespace Graft.Benchmarks.ApiServerScale;

/// <summary>How long writes took, and where they went.</summary>
internal sealed record WriteTimes(double[] Milliseconds, IReadOnlyList<int> PerNamespace, double Seconds)
{
    public double Percentile(double part) => Milliseconds[Math.Min(Milliseconds.Length - 1, (int)(Milliseconds.Length * part))];
}

/// <summary>
/// Writes at a steady rate. Each has its moment, and is late by all that holds it up, the client included: a server that stops for a
/// second is not spared the writes of that second (coordinated omission).
/// </summary>
internal sealed class ScaleWrites(ScaleObjects objects, ScaleCase measured, TimeProvider time)
{
    public async Task<WriteTimes> RunAsync(HttpClient client, CancellationToken cancel)
    {
        // The first writes pay for what is compiled and opened once.
        for (var n = 0; n < measured.WritesPerSecond; n++)
            await objects.WriteAsync(client, n, cancel);

        var count = measured.WritesPerSecond * measured.Seconds;
        var pending = new Task<(double Milliseconds, int Namespace)>[count];
        var interval = TimeSpan.FromSeconds(1.0 / measured.WritesPerSecond);
        var start = Stopwatch.GetTimestamp();
        for (var n = 0; n < count; n++)
        {
            var due = interval * n;
            var early = due - Stopwatch.GetElapsedTime(start);
            if (early > TimeSpan.Zero)
                await Task.Delay(early < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : early, time, cancel);
            pending[n] = WriteAsync(client, measured.WritesPerSecond + n, due, start, cancel);
        }
        var done = await Task.WhenAll(pending);
        var perNamespace = new int[measured.Namespaces];
        for (var n = 0; n < measured.WritesPerSecond; n++)
            perNamespace[n % measured.Objects % measured.Namespaces]++;
        foreach (var (_, ns) in done)
            perNamespace[ns]++;
        return new WriteTimes([.. done.Select(write => write.Milliseconds).Order()], perNamespace, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private async Task<(double Milliseconds, int Namespace)> WriteAsync(
        HttpClient client, int n, TimeSpan due, long start, CancellationToken cancel)
    {
        var ns = await objects.WriteAsync(client, n, cancel);
        return ((Stopwatch.GetElapsedTime(start) - due).TotalMilliseconds, ns);
    }
}
