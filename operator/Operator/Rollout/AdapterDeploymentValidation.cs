using System.Text.RegularExpressions;
using Graft.Operator.Api;

namespace Graft.Operator.Rollout;

/// <summary>What the CRD's schema cannot say. Errors of one adapter are not here, because they must not stop the others.</summary>
internal static partial class AdapterDeploymentValidation
{
    public static IEnumerable<FieldError> Errors(AdapterDeployment resource)
    {
        var name = resource.Metadata.Name;
        if (name.Length > 63 || !ServiceName().IsMatch(name))
            yield return new("metadata.name",
                $"'{name}' also names a Service: a lower-case letter, then at most 62 lower-case letters, digits and '-'");
        if (resource.Spec.Engine.Name is null) yield return new("spec.engine", "set exactly one of: graft");
    }

    [GeneratedRegex("^[a-z]([-a-z0-9]*[a-z0-9])?$")]
    private static partial Regex ServiceName();
}
