using System.Text.Json.Nodes;
using Graft.Contract;
using Graft.LocalCluster;
using Graft.Operator.Api;
using Graft.Operator.Generate;
using Graft.Operator.Local;
using Graft.Runtime;
using Cluster = Graft.LocalCluster.LocalCluster;

namespace Graft.Operator.Tests.FaultGate;

/// <summary>One run from manifests to a served adapter, or to the word that there is none, under a plan, on a cluster of its own.</summary>
internal sealed class GateRun : IAsyncDisposable
{
    private const string Namespace = "default";

    private const string Manifests = """
        apiVersion: graft.dev/v1alpha1
        kind: FineTuneJob
        metadata: {name: intents, namespace: default}
        spec:
          model: {source: pvc://models/tiny}
          data: {train: [{source: pvc://datasets/train.jsonl}]}
          method: {lora: {}}
          output: {pvc: {claimName: adapters}}
        ---
        apiVersion: graft.dev/v1alpha1
        kind: AdapterDeployment
        metadata: {name: support, namespace: default}
        spec:
          model: {source: pvc://models/tiny}
          adapters: [{name: one, from: {fineTuneJobRef: {name: intents}}}]
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("graft-gate-").FullName;
    private readonly FaultInjector _faults;
    private readonly CancellationTokenSource _stop = new();
    private Cluster _cluster = null!;
    private ApiClient _admin = null!;
    private MortalOperator _operator = null!;
    private Task _node = Task.CompletedTask;

    private GateRun(bool records) => _faults = new FaultInjector
    {
        Records = records,
        Crashing = (_, _) =>
        {
            _ = _operator.KillAsync();
            return Task.CompletedTask;
        },
    };

    public IReadOnlyList<RecordedRequest> Recorded => _faults.Recorded;

    public int Fired => _faults.Fired.Count;

    /// <param name="failure">What the training ends with; null for a result.</param>
    public static async Task<GateRun> StartAsync(FaultPlan plan, FailureClass? failure, bool records = false)
    {
        var run = new GateRun(records);
        run._cluster = await Cluster.StartAsync(new() { StateFolder = run._folder, Faults = run._faults });
        run._admin = new ApiClient(run._cluster.ClientConfiguration, new ApiClientOptions { FieldManager = "node" });
        foreach (var definition in GeneratedFiles.Definitions) await run._admin.ApplyAsync(definition);
        foreach (var obj in OperatorManifests.Rbac().Prepend(OperatorManifests.Namespace()))
            await run._admin.Resource(ResourceKind.Of(obj.GetType())).ApplyAsync((JsonObject)ObjectJson.ToNode(obj)!);
        run._faults.Begin(plan);
        run._operator = new MortalOperator(run._cluster, run._faults, new FakePrograms());
        await run._operator.StartAsync();
        run._node = new PlayedNode(run._admin, Namespace, failure).RunAsync(run._stop.Token);
        foreach (var manifest in ManifestFolder.Parse("gate.yaml", Manifests))
        {
            var kind = manifest.Kind == nameof(FineTuneJob) ? ResourceKind.Of<FineTuneJob>() : ResourceKind.Of<AdapterDeployment>();
            await run._admin.Resource(kind).ApplyAsync(manifest.Object);
        }
        return run;
    }

    /// <summary>The state when nothing is awaited any more and nothing has changed for a while.</summary>
    public async Task<string> EndAsync(TimeSpan patience)
    {
        var deadline = DateTime.UtcNow + patience;
        for (var last = ""; DateTime.UtcNow < deadline;)
        {
            await Task.Delay(400);
            var state = await EndState.OfAsync(_admin, Namespace);
            if (state == last && await IsSettledAsync()) return state;
            last = state;
        }
        return await EndState.OfAsync(_admin, Namespace);
    }

    /// <summary>Null when the state becomes as wanted and stays so; else what is wrong, with the plan that made it so.</summary>
    public async Task<string?> ReachesAsync(string wanted, TimeSpan patience)
    {
        var deadline = DateTime.UtcNow + patience;
        var found = "";
        while (DateTime.UtcNow < deadline)
        {
            found = await EndState.OfAsync(_admin, Namespace);
            if (found == wanted && await IsSettledAsync()) return null;
            if (_node.IsFaulted) await _node;
            await Task.Delay(200);
        }
        return $"""
            The end is another one than without faults.
            {EndState.Difference(wanted, found)}
            What happened:
            {string.Join('\n', _faults.Fired)}
            The operator's log:
            {string.Join('\n', _operator.Log)}
            """;
    }

    public async ValueTask DisposeAsync()
    {
        // What waits for a fault's end need not be waited for.
        _faults.Begin(FaultPlan.Empty);
        await _operator.DisposeAsync();
        await _stop.CancelAsync();
        await _node.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _admin.Dispose();
        await _cluster.DisposeAsync();
        _stop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Both say that they have come to an end, and that of their newest generation.</summary>
    private async Task<bool> IsSettledAsync()
    {
        var run = await _admin.GetAsync<FineTuneJob>("intents", Namespace);
        var deployment = await _admin.GetAsync<AdapterDeployment>("support", Namespace);
        return run?.Status?.Phase is "Succeeded" or "Failed" && run.Status.ObservedGeneration == run.Metadata.Generation
            && deployment?.Status?.Phase is "Serving" or "Degraded" or "Failed" && deployment.Status.ObservedGeneration == deployment.Metadata.Generation;
    }
}
