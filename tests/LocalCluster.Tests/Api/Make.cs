using System.Diagnostics;

namespace Graft.LocalCluster.Tests.Api;

/// <summary>Small valid objects.</summary>
internal static class Make
{
    public static string Pod(string name, string node = "", string containers = """{"name":"main","image":"x:1"}""") =>
        """{"metadata":{"name":"NAME"},"spec":{NODE"containers":[CONTAINERS]}}"""
            .Replace("NAME", name, StringComparison.Ordinal)
            .Replace("NODE", node.Length > 0 ? $"\"nodeName\":\"{node}\"," : "", StringComparison.Ordinal)
            .Replace("CONTAINERS", containers, StringComparison.Ordinal);

    public static string Deployment(string name, string finalizers = "", int replicas = 1) =>
        """
        {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"NAME","finalizers":[FINALIZERS]},
         "spec":{"replicas":REPLICAS,"selector":{"matchLabels":{"a":"b"}},
          "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"main","image":"x:1"}]}}}}
        """
            .Replace("NAME", name, StringComparison.Ordinal)
            .Replace("FINALIZERS", finalizers, StringComparison.Ordinal)
            .Replace("REPLICAS", $"{replicas}", StringComparison.Ordinal);
}

/// <summary>Waits for what happens on its own.</summary>
internal static class Poll
{
    public static async Task UntilAsync(Func<Task<bool>> holds)
    {
        var watch = Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), "did not happen within 10 s");
            await Task.Delay(20);
        }
    }
}
