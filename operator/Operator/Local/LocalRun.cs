using Graft.Operator.Generate;
using Graft.Runtime;
using k8s.Models;
using Spectre.Console;

namespace Graft.Operator.Local;

/// <summary>The whole road on this machine: cluster, manifests, controllers, watching, answers.</summary>
internal sealed class LocalRun(LocalOptions options, IAnsiConsole console, TimeProvider time)
{
    private readonly LocalView _view = new(console, time);

    /// <exception cref="LocalFailure">Something failed; everything that was started is stopped.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        // What can be wrong before anything runs is found before anything runs.
        var manifests = ManifestFolder.Read(options.Folder);
        var trainer = ProgramFinder.Find("graft-trainer", "Trainer", options.TrainerProgram, AppContext.BaseDirectory);
        var server = ProgramFinder.Find("graft-server", "Server", options.ServerProgram, AppContext.BaseDirectory);

        using var loggers = OpenLog();
        using var faults = options.Faults is { } plan ? LocalFaults.Read(plan, options.StateFolder, loggers, _view.Say) : null;
        await using var cluster = await EmbeddedCluster.StartAsync(options, trainer, server, loggers, faults?.Injector, time, cancellation);
        using var client = new ApiClient(cluster.Connection, new ApiClientOptions { UserAgent = "graft-cli" });
        _view.Say($"a Kubernetes API answers at {cluster.Address}; KUBECONFIG={cluster.KubeconfigPath}");
        await InstallAsync(client, cancellation);
        await using var controllers = options.NoOperator
            ? null
            : await InProcessOperator.StartAsync(options.Operator, cluster.Connection, loggers, options.LogLevel, cancellation);
        var applied = await new ManifestApplier(client).ApplyAsync(manifests, cancellation);
        _view.Say($"applied {string.Join(", ", applied.Select(a => $"{a.Kind} {a.Name}"))}");

        var done = await _view.FollowAsync(show => new LocalWatcher(client, applied, time).WatchAsync(show, options.Timeout, cancellation));
        foreach (var run in done.Runs) await ArtifactReport.WriteAsync(console, client, run, cancellation);
        await CompareAsync(done, cancellation);
        if (options.Keep) await StayAsync(cluster.KubeconfigPath, cancellation);
    }

    private FileLoggers OpenLog()
    {
        try
        {
            Directory.CreateDirectory(options.StateFolder);
            return new(Path.Combine(options.StateFolder, "operator.log"), time);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LocalFailure($"--state {options.StateFolder}: {e.Message}", e);
        }
    }

    private async Task CompareAsync(LocalSnapshot done, CancellationToken cancellation)
    {
        var prompts = PromptComparison.Prompts(options.Folder, done.Runs, options.Sources);
        if (prompts.Count == 0) return;
        using var handler = new SocketsHttpHandler { UseProxy = false };
        using var http = new HttpClient(handler) { Timeout = TimeSpan.FromMinutes(5) };
        foreach (var deployment in done.Deployments.Where(d => d.Spec.Replicas > 0))
        {
            await new PromptComparison(http).WriteAsync(console, deployment, prompts, cancellation);
            _view.Say($"{deployment.Metadata.Name} answered");
        }
    }

    /// <summary>Until somebody stops it, which is its good end.</summary>
    internal async Task StayAsync(string kubeconfig, CancellationToken cancellation)
    {
        var after = options.KeepsObjects ? ", and goes on from there at the next start with this --state" : "";
        _view.Say($"everything stays up until Ctrl-C{after}; in another terminal: export KUBECONFIG={kubeconfig}");
        await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>The kinds go the way that any CRD goes: through the API, and then until it serves them.</summary>
    private async Task InstallAsync(ApiClient client, CancellationToken cancellation)
    {
        foreach (var definition in GeneratedFiles.Definitions) await client.ApplyAsync(definition, cancellation);
        foreach (var definition in GeneratedFiles.Definitions)
        {
            while ((await client.GetAsync<V1CustomResourceDefinition>(definition.Metadata.Name, null, cancellation))?
                .Status?.Conditions?.Any(c => c.Type == "Established" && c.Status == "True") != true)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellation);
            }
        }
    }
}
