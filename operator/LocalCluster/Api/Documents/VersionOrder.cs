using System.Globalization;
using System.Text.RegularExpressions;

namespace Graft.LocalCluster.Api.Documents;

/// <summary>
/// The order in which discovery names groups and versions. Clients take the first that has a resource: <c>kubectl get ev</c> is of the
/// core group because it stands before events.k8s.io.
/// </summary>
internal static partial class VersionOrder
{
    // Of groups that CustomResourceDefinitions make (kube-aggregator, crdregistration_controller.go).
    private const int CustomPriority = 1000;

    // cmd/kube-apiserver/app/aggregator.go and pkg/controlplane/apiserver/aggregator.go.
    private static readonly Dictionary<string, int> Priorities = new(StringComparer.Ordinal)
    {
        [""] = 18000, ["apps"] = 17800, ["events.k8s.io"] = 17750, ["authentication.k8s.io"] = 17700, ["authorization.k8s.io"] = 17600,
        ["autoscaling"] = 17500, ["batch"] = 17400, ["certificates.k8s.io"] = 17300, ["networking.k8s.io"] = 17200, ["policy"] = 17100,
        ["rbac.authorization.k8s.io"] = 17000, ["storage.k8s.io"] = 16800, ["apiextensions.k8s.io"] = 16700,
        ["admissionregistration.k8s.io"] = 16700, ["scheduling.k8s.io"] = 16600, ["coordination.k8s.io"] = 16500, ["node.k8s.io"] = 16300,
        ["discovery.k8s.io"] = 16200,
    };

    public static IEnumerable<string> OfGroups(IEnumerable<string> groups) =>
        groups.Distinct().OrderByDescending(group => Priorities.GetValueOrDefault(group, CustomPriority)).ThenBy(group => group, StringComparer.Ordinal);

    /// <summary>
    /// Stable versions before beta and alpha ones, of each the newest first, and what has no such form last, by name (Kubernetes
    /// documentation, "Versions in CustomResourceDefinitions: version priority").
    /// </summary>
    public static IEnumerable<string> OfVersions(IEnumerable<string> versions) => versions.Distinct()
        .OrderByDescending(KeyOf).ThenBy(version => version, StringComparer.Ordinal);

    private static (int Stability, int Major, int Minor) KeyOf(string version)
    {
        var match = Form().Match(version);
        if (!match.Success)
            return (-1, 0, 0);
        var stability = match.Groups["stability"].Value switch { "" => 2, "beta" => 1, _ => 0 };
        return (stability, Number(match.Groups["major"]), match.Groups["minor"].Success ? Number(match.Groups["minor"]) : 0);
    }

    private static int Number(Group digits) => int.TryParse(digits.Value, CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue;

    [GeneratedRegex(@"^v(?<major>[1-9][0-9]*)((?<stability>alpha|beta)(?<minor>[1-9][0-9]*))?$")]
    private static partial Regex Form();
}
