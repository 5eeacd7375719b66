using Graft.Contract;
using Graft.Operator.Api;
using Graft.Operator.FineTuning;
using Graft.Operator.Sources;
using Graft.Runtime;

namespace Graft.Operator.Rollout;

/// <summary>A revision of an adapter: where it lies, and which it is.</summary>
internal sealed record AdapterRevision(string Uri, string? Digest, string? FineTuneJob);

/// <summary>What one entry of <c>spec.adapters</c> means right now.</summary>
/// <param name="Wanted">
/// What pods should hold under this name; while the new one is awaited, the one that is served. Null: nothing yet.
/// </param>
/// <param name="Waiting">Why the entry's own revision is not there yet.</param>
/// <param name="Failure">Why it never will be, as (reason, message).</param>
/// <param name="Expected">Where the revision that is awaited will lie, so that its claim can be mounted ahead.</param>
internal sealed record AdapterResolution(
    string Name, AdapterRevision? Wanted, string? Waiting = null, (string Reason, string Message)? Failure = null, string? Expected = null)
{
    public static IReadOnlyList<AdapterResolution> All(AdapterDeployment resource, AdapterDeploymentView view, SourceOptions sources) =>
        [.. (resource.Spec.Adapters ?? []).Select(adapter => Of(resource, adapter, view, sources))];

    private static AdapterResolution Of(AdapterDeployment resource, AdapterSpec adapter, AdapterDeploymentView view, SourceOptions sources)
    {
        var status = resource.Status?.Adapters?.FirstOrDefault(a => a.Name == adapter.Name);
        var served = status?.Current is { } current ? new AdapterRevision(current.Uri, current.Digest, current.FineTuneJob) : null;
        var own = adapter.From switch
        {
            _ when adapter.Name == resource.Metadata.Name => Failed(
                adapter.Name, Reasons.InvalidSpec, $"'{adapter.Name}' is the name of the base model here; choose another for the adapter"),
            { Artifact: { } artifact, FineTuneJobRef: null } => new(adapter.Name, new(artifact.Uri, artifact.Digest, null)),
            { FineTuneJobRef: { } reference, Artifact: null } => OfRun(resource.Spec.Engine, adapter.Name, reference.Name, status, view),
            _ => Failed(adapter.Name, Reasons.InvalidSpec, "set exactly one of: fineTuneJobRef, artifact"),
        };
        if (served is not null && SourceParser.ParseMounted(served.Uri, sources).Source is null) served = null;
        if (own.Wanted is null) return own with { Wanted = served };
        var (_, error) = SourceParser.ParseMounted(own.Wanted.Uri, sources);
        return error is null ? own : Failed(adapter.Name, error.Reason, error.Message) with { Wanted = served };
    }

    private static AdapterResolution OfRun(
        EngineSpec engine, string name, string run, AdapterStatus? status, AdapterDeploymentView view)
    {
        if (!view.FineTuneJobs.TryGetValue(run, out var job)) return OfMissingRun(name, run, status);
        var phase = job.Status?.Phase ?? FineTuneJobPhase.Pending;
        if (job.Status is { Artifact: { } artifact } && job.Status.Conditions.IsTrue(ConditionTypes.Succeeded))
            return OfArtifact(engine, name, run, artifact, status);
        if (job.Status?.Conditions.Find(ConditionTypes.Stalled) is { Status: Conditions.True } stalled)
            return Failed(name, Reasons.FineTuneJobFailed, $"FineTuneJob '{run}' failed: {stalled.Reason}: {stalled.Message}");
        var claim = job.Spec.Output.Pvc?.ClaimName;
        return new(name, null, $"waiting for FineTuneJob '{run}' ({phase})", Expected: claim is null ? null : $"pvc://{claim}");
    }

    private static AdapterResolution OfArtifact(
        EngineSpec engine, string name, string run, ArtifactStatus artifact, AdapterStatus? status)
    {
        if (artifact.Kind != nameof(ArtifactKind.Adapter))
            return Failed(name, Reasons.InvalidSpec,
                $"FineTuneJob '{run}' makes a whole model, not an adapter; serve it as model.source: {artifact.Uri}");
        var revision = new AdapterRevision(artifact.Uri, artifact.Digest, run);
        // What pods have served already is not judged: they know better.
        if (status?.Current?.Digest == artifact.Digest) return new(name, revision);
        var reasons = AdapterJudgement.Reasons(engine, artifact);
        return reasons.Count == 0 ? new(name, revision)
            : Failed(name, Reasons.AdapterRefused,
                $"what FineTuneJob '{run}' made ({artifact.Uri}) is not served by the engine {engine.Name}. {string.Join(" ", reasons)}");
    }

    // A run's object may go; what it resolved to is recorded and stays good.
    private static AdapterResolution OfMissingRun(string name, string run, AdapterStatus? status)
    {
        if (status?.Current is { } current && current.FineTuneJob == run) return new(name, new(current.Uri, current.Digest, run));
        if (status?.Candidate is { Uri: { } uri } candidate && candidate.FineTuneJob == run)
            return new(name, new(uri, candidate.Digest, run));
        return new(name, null, $"waiting for FineTuneJob '{run}', which does not exist");
    }

    private static AdapterResolution Failed(string name, string reason, string message) =>
        new(name, null, Failure: (reason, $"adapter '{name}': {message}"));
}
