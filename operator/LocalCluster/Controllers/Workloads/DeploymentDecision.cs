using System.Globalization;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Workloads;

/// <param name="Create">The ReplicaSet of the current template, when there is none yet.</param>
/// <param name="Scale">ReplicaSets whose number of replicas changes.</param>
/// <param name="Delete">Old ReplicaSets beyond the history limit.</param>
/// <param name="Revision">The revision that Deployment and current ReplicaSet are annotated with.</param>
internal sealed record DeploymentPlan(
    V1DeploymentStatus Status, V1ReplicaSet? Create, V1ReplicaSet? Current, IReadOnlyList<(V1ReplicaSet Set, int Replicas)> Scale,
    IReadOnlyList<V1ReplicaSet> Delete, string Revision, IReadOnlyList<PlannedEvent> Events, TimeSpan? Again = null);

/// <summary>The Deployment controller's decision: one ReplicaSet per template, and the way from the old ones to the current one.</summary>
internal static class DeploymentDecision
{
    public const string RevisionAnnotation = "deployment.kubernetes.io/revision";

    /// <param name="sets">All ReplicaSets that the Deployment controls.</param>
    /// <param name="oldPodsExist">Whether pods of old ReplicaSets still run or end (Recreate waits for them).</param>
    public static DeploymentPlan Decide(V1Deployment deployment, IReadOnlyList<V1ReplicaSet> sets, bool oldPodsExist, DateTimeOffset now)
    {
        var hash = TemplateHash.Of(deployment.Spec.Template);
        var current = sets.FirstOrDefault(s => s.Metadata.Labels?.TryGetValue(TemplateHash.Label, out var label) == true && label == hash);
        var old = sets.Where(s => s != current).ToList();
        var revision = Revision(current, old);
        var deleting = deployment.Metadata.DeletionTimestamp is not null;
        var paused = deployment.Spec.Paused == true;
        var recreating = deployment.Spec.Strategy?.Type == "Recreate";
        var events = new List<PlannedEvent>();

        V1ReplicaSet? create = null;
        IReadOnlyList<(V1ReplicaSet Set, int Replicas)> scale = [];
        if (!deleting && current is null && !paused)
        {
            create = Make(deployment, hash, revision, FirstReplicas(deployment, old, recreating));
            if (create.Spec.Replicas > 0) events.Add(Scaled("up", create.Metadata.Name, 0, create.Spec.Replicas!.Value));
        }
        else if (!deleting && current is not null)
        {
            scale = paused ? [] : recreating && oldPodsExist ? [.. old.Where(s => Rollout.Replicas(s) > 0).Select(s => (s, 0))]
                : Rollout.Scale(deployment, current, old);
        }
        events.AddRange(scale.Select(s =>
            Scaled(s.Replicas > Rollout.Replicas(s.Set) ? "up" : "down", s.Set.Metadata.Name, Rollout.Replicas(s.Set), s.Replicas)));

        var status = DeploymentStatus.Of(deployment, sets, current ?? create, create is not null, now, out var again);
        var surplus = deleting ? [] : History(deployment, old);
        return new DeploymentPlan(status, create, current, scale, surplus, revision, events, again);
    }

    private static PlannedEvent Scaled(string direction, string set, int from, int to) =>
        PlannedEvent.Normal("ScalingReplicaSet", $"Scaled {direction} replica set {set} from {from} to {to}");

    private static int FirstReplicas(V1Deployment deployment, List<V1ReplicaSet> old, bool recreating)
    {
        var wanted = deployment.Spec.Replicas ?? 1;
        var running = old.Sum(Rollout.Replicas);
        if (running == 0) return recreating && old.Any(s => s.Status?.Replicas > 0) ? 0 : wanted;
        return recreating ? 0 : Math.Clamp(wanted + RolloutBounds.Of(deployment).Surge - running, 0, wanted);
    }

    /// <summary>One more than any before, unless the current set has the highest already; so a rollback gets a new number.</summary>
    private static string Revision(V1ReplicaSet? current, List<V1ReplicaSet> old)
    {
        var highestOld = old.Select(RevisionOf).DefaultIfEmpty(0).Max();
        var own = current is null ? 0 : RevisionOf(current);
        return Math.Max(own, highestOld + 1).ToString(CultureInfo.InvariantCulture);
    }

    private static long RevisionOf(V1ReplicaSet set) =>
        set.Metadata.Annotations?.TryGetValue(RevisionAnnotation, out var text) == true
        && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var revision) ? revision : 0;

    private static IReadOnlyList<V1ReplicaSet> History(V1Deployment deployment, List<V1ReplicaSet> old)
    {
        var idle = old.Where(s => Rollout.Replicas(s) == 0 && (s.Status?.Replicas ?? 0) == 0 && s.Metadata.DeletionTimestamp is null)
            .OrderBy(RevisionOf).ToList();
        return [.. idle.Take(Math.Max(0, idle.Count - (deployment.Spec.RevisionHistoryLimit ?? 10)))];
    }

    private static V1ReplicaSet Make(V1Deployment deployment, string hash, string revision, int replicas)
    {
        var template = ObjectJson.Clone(deployment.Spec.Template);
        template.Metadata ??= new V1ObjectMeta();
        template.Metadata.Labels = new Dictionary<string, string>(template.Metadata.Labels ?? new Dictionary<string, string>()) { [TemplateHash.Label] = hash };
        var selector = ObjectJson.Clone(deployment.Spec.Selector);
        selector.MatchLabels = new Dictionary<string, string>(selector.MatchLabels ?? new Dictionary<string, string>()) { [TemplateHash.Label] = hash };
        return new V1ReplicaSet
        {
            ApiVersion = "apps/v1",
            Kind = "ReplicaSet",
            Metadata = new V1ObjectMeta
            {
                Name = $"{deployment.Metadata.Name}-{hash}",
                NamespaceProperty = deployment.Metadata.NamespaceProperty,
                Labels = new Dictionary<string, string>(template.Metadata.Labels),
                Annotations = new Dictionary<string, string> { [RevisionAnnotation] = revision },
                OwnerReferences = [Pods.ControllerReference(deployment)],
            },
            Spec = new V1ReplicaSetSpec
            {
                Replicas = replicas,
                Selector = selector,
                Template = template,
                MinReadySeconds = deployment.Spec.MinReadySeconds,
            },
        };
    }
}
