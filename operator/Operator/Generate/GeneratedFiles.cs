using Graft.Operator.Api;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.Generate;

/// <summary>Every generated file of the repository: path below its root -> text. The same input gives the same bytes.</summary>
internal static class GeneratedFiles
{
    public const string BaseFolder = "charts/base";

    public static IReadOnlyList<V1CustomResourceDefinition> Definitions { get; } =
        [CrdGenerator.Generate<FineTuneJob>(), CrdGenerator.Generate<AdapterDeployment>()];

    public static IEnumerable<(string Name, string Text)> All(OperatorImages images)
    {
        foreach (var crd in Definitions) yield return ($"crds/{crd.Spec.Names.Plural}.yaml", ManifestYaml.Write(crd));
        yield return ("crds/kustomization.yaml", Kustomization(Definitions.Select(d => $"{d.Spec.Names.Plural}.yaml")));
        yield return ($"{BaseFolder}/namespace.yaml", ManifestYaml.Write(OperatorManifests.Namespace()));
        yield return ($"{BaseFolder}/rbac.yaml", RbacComment() + ManifestYaml.Write(OperatorManifests.Rbac()));
        yield return ($"{BaseFolder}/operator.yaml", ManifestYaml.Write(OperatorManifests.Deployment(images)));
        // A base may name a folder outside its own, but not a file there; so the CRDs are a base too.
        yield return ($"{BaseFolder}/kustomization.yaml", Kustomization(["../../crds", "namespace.yaml", "rbac.yaml", "operator.yaml"]));
        yield return ("docs/api-reference.md", ApiReference.Write(Definitions));
    }

    private static string RbacComment() =>
        "# What the operator's Deployment may do. `graft-operator run --kubeconfig` acts with the rights of that kubeconfig's user, and\n"
        + "# needs in addition, because it reaches programs in pods through the API server:\n"
        + string.Concat(OperatorManifests.RulesOutside.Select(r =>
            $"#   {string.Join(", ", r.Verbs)} on {string.Join(", ", r.Resources)}\n"));

    private static string Kustomization(IEnumerable<string> resources) =>
        "---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n"
        + string.Concat(resources.Select(r => $"- {r}\n"));
}
