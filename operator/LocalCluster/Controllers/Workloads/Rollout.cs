using System.Globalization;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Workloads;

/// <param name="Surge">Pods above the wanted number while rolling.</param>
/// <param name="Unavailable">Pods that may be missing from the wanted number while rolling.</param>
internal readonly record struct RolloutBounds(int Surge, int Unavailable)
{
    /// <summary>Percentages round up for the surge and down for what may be missing; both zero would never get on.</summary>
    public static RolloutBounds Of(V1Deployment deployment)
    {
        var wanted = deployment.Spec.Replicas ?? 1;
        if (deployment.Spec.Strategy?.Type == "Recreate") return new(0, wanted);
        var rolling = deployment.Spec.Strategy?.RollingUpdate;
        var surge = Resolve(rolling?.MaxSurge?.Value ?? "25%", wanted, up: true);
        var unavailable = Math.Min(wanted, Resolve(rolling?.MaxUnavailable?.Value ?? "25%", wanted, up: false));
        return surge == 0 && unavailable == 0 ? new(0, 1) : new(surge, unavailable);
    }

    /// <param name="value">A number, or a percentage.</param>
    public static int Resolve(string value, int of, bool up)
    {
        if (!value.EndsWith('%')) return int.Parse(value, CultureInfo.InvariantCulture);
        var share = int.Parse(value.TrimEnd('%'), CultureInfo.InvariantCulture) * of / 100.0;
        return (int)(up ? Math.Ceiling(share) : Math.Floor(share));
    }
}

/// <summary>How many replicas each ReplicaSet of a Deployment should have now.</summary>
internal static class Rollout
{
    /// <param name="old">ReplicaSets of earlier templates.</param>
    /// <returns>Wanted replicas of the sets that change.</returns>
    public static IReadOnlyList<(V1ReplicaSet Set, int Replicas)> Scale(V1Deployment deployment, V1ReplicaSet current, IReadOnlyList<V1ReplicaSet> old)
    {
        var wanted = deployment.Spec.Replicas ?? 1;
        if (deployment.Spec.Strategy?.Type == "Recreate") return Recreate(wanted, current, old);

        var bounds = RolloutBounds.Of(deployment);
        var grown = GrowTo(wanted, bounds, current, old);
        if (grown != Replicas(current)) return [(current, grown)];
        return ShrinkOld(wanted, bounds, current, old);
    }

    private static int GrowTo(int wanted, RolloutBounds bounds, V1ReplicaSet current, IReadOnlyList<V1ReplicaSet> old)
    {
        if (Replicas(current) >= wanted) return wanted;
        var room = wanted + bounds.Surge - Replicas(current) - old.Sum(Replicas);
        return Replicas(current) + Math.Max(0, Math.Min(room, wanted - Replicas(current)));
    }

    private static List<(V1ReplicaSet, int)> ShrinkOld(int wanted, RolloutBounds bounds, V1ReplicaSet current, IReadOnlyList<V1ReplicaSet> old)
    {
        var least = wanted - bounds.Unavailable;
        var currentMissing = Replicas(current) - Available(current);
        var mayGo = Replicas(current) + old.Sum(Replicas) - least - currentMissing;
        var left = old.OrderBy(s => s.Metadata.CreationTimestamp).ToDictionary(s => s, Replicas);

        // First pods that serve nobody, then, while enough others are available, those that do.
        foreach (var set in left.Keys.ToList())
        {
            var unhealthy = Math.Clamp(Replicas(set) - Available(set), 0, Math.Max(0, mayGo));
            left[set] -= unhealthy;
            mayGo -= unhealthy;
        }
        var spare = Math.Min(mayGo, Available(current) + old.Sum(Available) - least);
        foreach (var set in left.Keys.ToList())
        {
            var gone = Math.Clamp(spare, 0, left[set]);
            left[set] -= gone;
            spare -= gone;
        }
        return [.. left.Where(s => s.Value != Replicas(s.Key)).Select(s => (s.Key, s.Value))];
    }

    private static List<(V1ReplicaSet, int)> Recreate(int wanted, V1ReplicaSet current, IReadOnlyList<V1ReplicaSet> old)
    {
        var ends = old.Where(s => Replicas(s) > 0).Select(s => (s, 0)).ToList();
        if (ends.Count > 0) return ends;
        return old.Any(s => s.Status?.Replicas > 0) || Replicas(current) == wanted ? [] : [(current, wanted)];
    }

    public static int Replicas(V1ReplicaSet set) => set.Spec.Replicas ?? 1;

    private static int Available(V1ReplicaSet set) => set.Status?.AvailableReplicas ?? 0;
}
