using System.Text.Json.Nodes;
using Graft.LocalCluster.Api;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Admission.PodSecurity;

/// <summary>
/// Holds pods to the level that the labels of their namespace name, and warns about templates whose pods would be refused
/// (https://kubernetes.io/docs/concepts/security/pod-security-admission/).
/// </summary>
internal sealed class PodSecurityAdmission(ObjectStore store) : IAdmission
{
    private static readonly GroupResource Namespaces = new("", "namespaces");
    private static readonly GroupResource Pods = new("", "pods");

    public void Admit(AdmissionRequest request)
    {
        if (request.Subresource.Length > 0)
            return;
        if (request.Is("", "namespaces"))
            AdmitNamespace(request);
        else if (request.Is("", "pods"))
            AdmitPod(request);
        else if (request.Is("apps", "deployments") || request.Is("apps", "replicasets") || request.Is("batch", "jobs"))
            WarnAbout(request, request.Object.At("spec", "template"));
    }

    private void AdmitPod(AdmissionRequest request)
    {
        if (request.Old is { } old && !IsSignificant(request.Object, old))
            return;
        var policy = PolicyOf(request.Object.Namespace());
        var violations = SecurityChecks.Evaluate(policy.Enforce, View(request.Object));
        if (violations.Count > 0)
            throw ApiException.Forbidden(Pods, request.Object.Name(), $"violates PodSecurity \"{policy.Enforce}\": {Text(violations)}");
        Warn(request, policy, View(request.Object));
    }

    private void WarnAbout(AdmissionRequest request, JsonNode? template)
    {
        var policy = PolicyOf(request.Object.Namespace());
        if (policy.Warn.Level != SecurityLevel.Privileged)
            Warn(request, policy, View(template));
    }

    private static void Warn(AdmissionRequest request, PodSecurityPolicy policy, PodView pod)
    {
        var violations = SecurityChecks.Evaluate(policy.Warn, pod);
        if (violations.Count > 0)
            request.Warnings.Add($"would violate PodSecurity \"{policy.Warn}\": {Text(violations)}");
    }

    private void AdmitNamespace(AdmissionRequest request)
    {
        var faults = new List<FieldError>();
        var policy = PodSecurityPolicy.Of(request.Object.Labels(), faults);
        var before = request.Old is null ? null : PodSecurityPolicy.Of(request.Old.Labels(), []);
        if (faults.Count > 0 && (request.Old is null || !SameLabels(request.Object, request.Old)))
            throw ApiException.Invalid(request.Kind, request.Object.Name(), faults);
        if (before is null || policy.Enforce == before.Enforce || policy.Enforce.Level == SecurityLevel.Privileged
            || (policy.Enforce.Minor == before.Enforce.Minor && policy.Enforce.Level <= before.Enforce.Level))
            return;
        request.Warnings.AddRange(ExistingPods(request.Object.Name(), policy.Enforce));
    }

    private IEnumerable<string> ExistingPods(string ns, LevelVersion enforce)
    {
        var groups = store.Snapshot(Pods).Objects.In(ns)
            .Select(pod => (pod.Key.Name, Why: string.Join(", ", SecurityChecks.Evaluate(enforce, View(pod.Content)).Select(v => v.Reason))))
            .Where(pod => pod.Why.Length > 0).GroupBy(pod => pod.Why).ToList();
        if (groups.Count == 0)
            return [];
        var lines = groups.Select(group => group.Count() switch
        {
            1 => $"{group.First().Name}: {group.Key}",
            2 => $"{group.First().Name} (and 1 other pod): {group.Key}",
            var count => $"{group.First().Name} (and {count - 1} other pods): {group.Key}",
        });
        return [$"existing pods in namespace \"{ns}\" violate the new PodSecurity enforce level \"{enforce}\"", .. lines.Order(StringComparer.Ordinal)];
    }

    private PodSecurityPolicy PolicyOf(string ns) =>
        PodSecurityPolicy.Of(store.Get(Namespaces, new ObjectKey("", ns))?.Labels ?? new Dictionary<string, string>(), []);

    /// <summary>Of what can change in a pod, only images matter to a level.</summary>
    private static bool IsSignificant(JsonObject pod, JsonObject old) => !Images(pod).SequenceEqual(Images(old));

    private static IEnumerable<string?> Images(JsonObject pod) => View(pod).Containers.Select(container => container["image"].AsString());

    private static bool SameLabels(JsonObject ns, JsonObject old) => JsonNode.DeepEquals(ns.At("metadata", "labels"), old.At("metadata", "labels"));

    private static PodView View(JsonNode? pod) => new(pod.At("metadata"), pod.At("spec"));

    private static string Text(IEnumerable<Violation> violations) => string.Join(", ", violations);
}
