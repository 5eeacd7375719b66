using k8s.Models;

namespace Graft.LocalCluster.Controllers.Scheduling;

/// <summary>
/// What a pod takes of a node (k8s.io/component-helpers/resource, PodRequests): the sum of its containers and sidecars, or what its
/// initialization needs at its peak where that is more, with its overhead.
/// </summary>
internal static class PodRequests
{
    // What a container without requests counts for when nodes are compared (pkg/scheduler/util/pod_resources.go).
    private const decimal CountedProcessor = 0.1m;
    private const decimal CountedMemory = 200m * 1024 * 1024;

    /// <returns>Resource name -> amount in its base unit: cores, bytes, devices.</returns>
    public static IReadOnlyDictionary<string, decimal> Of(V1PodSpec spec) => Of(spec, _ => 0);

    /// <summary>As the scheduler compares nodes: containers that ask for nothing count for a little.</summary>
    public static IReadOnlyDictionary<string, decimal> Counted(V1PodSpec spec) =>
        Of(spec, resource => resource switch { "cpu" => CountedProcessor, "memory" => CountedMemory, _ => 0 });

    private static Dictionary<string, decimal> Of(V1PodSpec spec, Func<string, decimal> least)
    {
        var sum = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var container in spec.Containers) Add(sum, container, least);
        var sidecars = new Dictionary<string, decimal>(StringComparer.Ordinal);
        var peak = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var init in spec.InitContainers ?? [])
        {
            if (init.RestartPolicy == "Always")
            {
                Add(sum, init, least);
                Add(sidecars, init, least);
                Raise(peak, sidecars);
                continue;
            }
            // An init container runs beside the sidecars that were started before it.
            var together = new Dictionary<string, decimal>(sidecars, StringComparer.Ordinal);
            Add(together, init, least);
            Raise(peak, together);
        }
        Raise(sum, peak);
        // Requests of the pod as a whole stand for those of its containers (KEP-2837).
        foreach (var (resource, amount) in spec.Resources?.Requests ?? new Dictionary<string, ResourceQuantity>()) sum[resource] = amount.ToDecimal();
        foreach (var (resource, amount) in spec.Overhead ?? new Dictionary<string, ResourceQuantity>())
            sum[resource] = sum.GetValueOrDefault(resource) + amount.ToDecimal();
        return sum;
    }

    private static void Add(Dictionary<string, decimal> sum, V1Container container, Func<string, decimal> least)
    {
        var requests = container.Resources?.Requests ?? new Dictionary<string, ResourceQuantity>();
        foreach (var (resource, amount) in requests) sum[resource] = sum.GetValueOrDefault(resource) + amount.ToDecimal();
        foreach (var resource in (string[])["cpu", "memory"])
        {
            if (!requests.ContainsKey(resource) && least(resource) is > 0 and var little) sum[resource] = sum.GetValueOrDefault(resource) + little;
        }
    }

    private static void Raise(Dictionary<string, decimal> sum, Dictionary<string, decimal> to)
    {
        foreach (var (resource, amount) in to) sum[resource] = Math.Max(sum.GetValueOrDefault(resource), amount);
    }
}
