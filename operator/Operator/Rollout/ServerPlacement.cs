using Graft.Contract;
using Graft.Operator.Api;
using Graft.Operator.Sources;

namespace Graft.Operator.Rollout;

/// <summary>Where the base model and each adapter are found in a serving pod, and the volumes that puts there.</summary>
/// <param name="Adapters">Alias -> path to load from.</param>
internal sealed record ServerPlacement(string Model, IReadOnlyDictionary<string, string> Adapters, PodMounts Mounts)
{
    /// <summary>Exactly one of the two results is set; the errors speak of the base model.</summary>
    public static (ServerPlacement? Placement, IReadOnlyList<FieldError> Errors) Of(
        AdapterDeployment resource, IReadOnlyList<AdapterResolution> adapters, SourceOptions sources)
    {
        var (model, error) = SourceParser.Parse(resource.Spec.Model.Source, sources);
        var errors = AdapterDeploymentValidation.Errors(resource).ToList();
        if (error is not null) errors.Add(new("spec.model.source", error.Message, error.Reason));
        if (errors.Count > 0) return (null, errors);

        var mounts = new PodMounts();
        var modelPath = mounts.Add(model!);
        var wanted = adapters.Where(a => a.Wanted is not null)
            .ToDictionary(a => a.Name, a => Parse(a.Wanted!.Uri, sources), StringComparer.Ordinal);
        var expected = adapters.Where(a => a.Expected is not null).Select(a => Parse(a.Expected!, sources));
        // By name, so that the order of the adapters does not matter to the pod.
        var claims = wanted.Values.Concat(expected).OfType<Source.Pvc>().Select(p => p.Claim).Distinct();
        foreach (var claim in claims.Order(StringComparer.Ordinal))
            mounts.AddClaim(claim, ContractPaths.Artifacts + "/" + claim, readOnly: true);
        var paths = wanted.OrderBy(w => w.Key, StringComparer.Ordinal)
            .ToDictionary(w => w.Key, w => PathOf(w.Value, mounts), StringComparer.Ordinal);
        return (new(modelPath, paths, mounts), []);
    }

    private static string PathOf(Source source, PodMounts mounts) => source switch
    {
        Source.Pvc { Path: "" } pvc => $"{ContractPaths.Artifacts}/{pvc.Claim}",
        Source.Pvc pvc => $"{ContractPaths.Artifacts}/{pvc.Claim}/{pvc.Path}",
        _ => mounts.Add(source),
    };

    private static Source Parse(string uri, SourceOptions sources) =>
        SourceParser.Parse(uri, sources).Source ?? throw new InvalidOperationException($"'{uri}' was accepted before");
}
