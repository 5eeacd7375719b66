using Graft.LocalCluster.Kinds;

namespace Graft.LocalCluster.Api.Pods;

/// <summary>
/// What a cluster offers and this one does not, in words that kubectl prints for its user: what is missing, and what to use instead.
/// The code is that of a thing that the server does not know.
/// </summary>
internal static class NotAvailable
{
    /// <summary>The group of <c>kubectl top</c>. kubectl asks for it only where discovery lists it, so it is listed, without resources.</summary>
    public const string MetricsGroup = "metrics.k8s.io";

    public const string MetricsVersion = "v1beta1";

    private const string Processes = "pods are processes of this machine";

    public static ApiException Subresource(string name) => Refusal(name switch
    {
        "exec" => "exec (and so cp) is not available locally, use a shell of this machine: " + Processes +
            ", and the files of claims lie in volumes/NAMESPACE/CLAIM of the state folder",
        "attach" => "attach is not available locally, use kubectl logs -f",
        "portforward" => "port-forward is not available locally, use the address of the pod or Service itself: " +
            "kubectl get pods,services -o wide shows it, and this machine reaches it",
        "ephemeralcontainers" => "debug is not available locally, use a debugger of this machine: " + Processes,
        _ => $"{name} is not available locally: {Processes}",
    });

    public static ApiException Metrics() =>
        Refusal($"top is not available locally, use ps or top of this machine: {Processes}, and requests and limits are in kubectl describe node");

    public static ApiException Objects(ResourceKind kind) => Refusal($"{kind.GroupResource} are not available locally, {kind.Instead}");

    private static ApiException Refusal(string message) => new(404, "NotFound", message) { Details = [] };
}
