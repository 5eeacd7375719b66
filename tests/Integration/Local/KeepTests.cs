using System.Collections.Concurrent;
using System.Globalization;
using Graft.Integration.Harness;
using k8s;
using k8s.Models;

namespace Graft.Integration.Local;

/// <summary><c>local --keep --state FOLDER</c> goes on where it was, however it ended.</summary>
public sealed class KeepTests : LocalTests
{
    private const int Writers = 16;

    [Fact]
    public async Task A_kill_in_the_midst_of_writes_loses_none_that_was_acknowledged()
    {
        var random = new Random(6);
        var acknowledged = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        var manifests = Manifests("""
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: from-the-folder, namespace: default}
            """);
        for (var round = 0; round < 3; round++)
        {
            await using var run = Start(manifests, "--keep", "--no-operator");
            using var client = await ClientAsync(run);
            await AssertKeptAsync(client, acknowledged);
            var writing = Enumerable.Range(0, Writers).Select(w => WriteAsync(client, $"r{round}-w{w}", acknowledged)).ToArray();
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(300, 900)));

            run.Kill();
            await run.WaitForExitAsync(TimeSpan.FromSeconds(30));
            await Task.WhenAll(writing);
        }
        await using var last = Start(manifests, "--keep", "--no-operator");
        using var reader = await ClientAsync(last);
        Assert.True(acknowledged.Count > 100, $"only {acknowledged.Count} writes were acknowledged: the test says little");
        await AssertKeptAsync(reader, acknowledged);
    }

    [Fact]
    public async Task A_run_that_was_killed_with_everything_goes_on_at_the_next_start()
    {
        var sample = ShortSample();
        string uid, kubeconfig;
        await using (var run = Start(sample, "--keep"))
        {
            kubeconfig = await run.KubeconfigAsync(Limit);
            await Poll.UntilAsync("the trainer runs", Limit, () => Task.FromResult(
                Processes.DescendantsOf(run.Id).Any(c => c.Command.Contains("train --job", StringComparison.Ordinal))), () => run.Output);
            uid = await RunUidAsync(kubeconfig);
            run.Kill();
            await run.WaitForExitAsync(TimeSpan.FromSeconds(30));
        }

        await using var again = Start(sample, "--keep");
        await again.LineWithAsync("stays up", Limit);

        // The kubeconfig of the first start is as good as that of the second.
        Assert.Equal(uid, await RunUidAsync(kubeconfig));
        Assert.Contains("Succeeded", again.Output, StringComparison.Ordinal);
    }

    private string Manifests(string yaml)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder, "manifests")).FullName;
        File.WriteAllText(Path.Combine(folder, "objects.yaml"), yaml);
        return folder;
    }

    private static async Task<Kubernetes> ClientAsync(ProgramRun run)
    {
        await run.LineWithAsync("stays up", Limit);
        return new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(await run.KubeconfigAsync(Limit)));
    }

    /// <summary>Creates one ConfigMap after the other and changes every second one, until the server is gone.</summary>
    private static async Task WriteAsync(Kubernetes client, string name, ConcurrentDictionary<string, string> acknowledged)
    {
        try
        {
            for (var n = 0; ; n++)
            {
                var made = new V1ConfigMap
                {
                    Metadata = new() { Name = string.Create(CultureInfo.InvariantCulture, $"{name}-{n}") },
                    Data = new Dictionary<string, string> { ["state"] = "created" },
                };
                await client.CoreV1.CreateNamespacedConfigMapAsync(made, "default");
                acknowledged[made.Metadata.Name] = "created";
                if (n % 2 == 0) continue;
                made.Data["state"] = "changed";
                await client.CoreV1.ReplaceNamespacedConfigMapAsync(made, made.Metadata.Name, "default");
                acknowledged[made.Metadata.Name] = "changed";
            }
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException)
        {
            // The server was killed: whether this last write came through, nobody was told.
        }
    }

    /// <summary>Each is there, and not older than what was acknowledged; a change that nobody was told of may be there too.</summary>
    private static async Task AssertKeptAsync(Kubernetes client, ConcurrentDictionary<string, string> acknowledged)
    {
        var there = (await client.CoreV1.ListNamespacedConfigMapAsync("default")).Items.ToDictionary(c => c.Metadata.Name, c => c.Data is { } data && data.TryGetValue("state", out var state) ? state : null);
        foreach (var (name, state) in acknowledged)
        {
            Assert.True(there.TryGetValue(name, out var kept), $"{name} was acknowledged and is gone");
            Assert.True(kept == state || kept == "changed", $"{name} was acknowledged as {state} and is {kept}");
        }
    }

    private static async Task<string> RunUidAsync(string kubeconfig)
    {
        using var client = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig));
        var runs = await client.CustomObjects.ListClusterCustomObjectAsync("graft.dev", "v1alpha1", "finetunejobs");
        return ((System.Text.Json.JsonElement)runs).GetProperty("items")[0].GetProperty("metadata").GetProperty("uid").GetString()!;
    }
}
