using System.CommandLine;

namespace Graft.Benchmarks.ApiServerScale;

/// <summary>What is measured: how many objects of which size, who watches, how much is written.</summary>
/// <param name="Objects">ConfigMaps of <see cref="ObjectBytes"/>, spread evenly over the namespaces.</param>
/// <param name="Watchers">Each on one namespace, but <see cref="ClusterWatchers"/> of them on all.</param>
/// <param name="WritesPerSecond">Sent at their times whether or not earlier ones have been answered.</param>
internal sealed record ScaleCase(
    int Objects, int Namespaces, int ObjectBytes, int Watchers, int ClusterWatchers, int WritesPerSecond, int Seconds)
{
    /// <summary>One list shows the objects with one of this many values of a label: a fifth of all.</summary>
    public const int Batches = 5;
}

/// <summary>The embedded API server under many objects, watches and writes, in memory and with the durable store.</summary>
internal static class ScaleCommand
{
    public static Command Create(TimeProvider time)
    {
        var objects = new Option<int>("--objects") { Description = "ConfigMaps of 4 KiB in 50 namespaces.", DefaultValueFactory = _ => 50_000 };
        var seconds = new Option<int>("--seconds") { Description = "How long it is written to.", DefaultValueFactory = _ => 20 };
        var rate = new Option<int>("--writes") { Description = "Writes per second.", DefaultValueFactory = _ => 500 };
        var json = new Option<bool>("--json") { Description = "Print [{name, value, unit}] and nothing else." };
        var command = new Command("apiserver-scale", """
            The embedded API with 50,000 objects and 200 watches: a list of a fifth of them, writes, memory; in memory and durable.
            The server is a process of its own on this machine; the clients speak HTTP/2 with TLS to it. A write is a merge patch, and
            its time counts from the moment at which it was to be sent.
            """) { objects, seconds, rate, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var measured = new ScaleCase(parsed.GetValue(objects), 50, 4096, 200, 4, parsed.GetValue(rate), parsed.GetValue(seconds));
            var figures = new List<Figure>();
            foreach (var durable in (bool[])[false, true])
                figures.AddRange(await ScaleRun.MeasureAsync(measured, durable, time, cancel));
            Report.Print(figures, parsed.GetValue(json));
        });
        command.Subcommands.Add(ScaleServer.Create());
        return command;
    }
}
