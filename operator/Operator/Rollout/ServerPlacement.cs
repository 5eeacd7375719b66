using Graft.Contract;
using Graft.Operator.Api;
using Graft.Operator.Sources;

namespace Graft.Operator.Rollout;

/// <summary>Where the base model and each adapter are found in a serving pod, and the volumes that puts there.</summary>
/// <param name="Model">A path, or the source where the pod fetches it.</param>
/// <param name="Credentials">Folder with the files to fetch the model with.</param>
/// <param name="Adapters">Alias -> path to load from.</param>
internal sealed record ServerPlacement(
    string Model, string? Credentials, IReadOnlyDictionary<string, string> Adapters, PodMounts Mounts)
{
    /// <summary>Exactly one of the two results is set; the errors speak of the base model.</summary>
    public static (ServerPlacement? Placement, IReadOnlyList<FieldError> Errors) Of(
        AdapterDeployment resource, IReadOnlyList<AdapterResolution> adapters, SourceOptions sources)
    {
        var errors = AdapterDeploymentValidation.Errors(resource).ToList();
        var mounts = new PodMounts();
        var spec = resource.Spec.Model;
        var model = new SourcePaths(mounts, sources, errors).OfModel("spec.model", spec.Source, spec.CredentialsRef, spec.Cache);
        if (errors.Count > 0) return (null, errors);

        var wanted = adapters.Where(a => a.Wanted is not null)
            .ToDictionary(a => a.Name, a => Parse(a.Wanted!.Uri, sources), StringComparer.Ordinal);
        var expected = adapters.Where(a => a.Expected is not null).Select(a => Parse(a.Expected!, sources));
        // By name, so that the order of the adapters does not matter to the pod.
        var claims = wanted.Values.Concat(expected).OfType<Source.Pvc>().Select(p => p.Claim).Distinct();
        foreach (var claim in claims.Order(StringComparer.Ordinal))
            mounts.AddClaim(claim, ContractPaths.Artifacts + "/" + claim, readOnly: true);
        var paths = wanted.OrderBy(w => w.Key, StringComparer.Ordinal)
            .ToDictionary(w => w.Key, w => PathOf(w.Value, mounts), StringComparer.Ordinal);
        return (new(model.Path.Length > 0 ? model.Path : spec.Source, model.Credentials, paths, mounts), []);
    }

    private static string PathOf(Source source, PodMounts mounts) => source switch
    {
        Source.Pvc { Path: "" } pvc => $"{ContractPaths.Artifacts}/{pvc.Claim}",
        Source.Pvc pvc => $"{ContractPaths.Artifacts}/{pvc.Claim}/{pvc.Path}",
        _ => mounts.Add(source),
    };

    private static Source Parse(string uri, SourceOptions sources) =>
        SourceParser.ParseMounted(uri, sources).Source ?? throw new InvalidOperationException($"'{uri}' was accepted before");
}
