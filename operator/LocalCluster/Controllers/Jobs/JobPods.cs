using k8s.Models;

namespace Graft.LocalCluster.Controllers.Jobs;

internal static class JobPods
{
    private const string UidLabel = "batch.kubernetes.io/controller-uid";

    public static V1Pod Make(V1Job job)
    {
        var pod = Pods.FromTemplate(job.Spec.Template, job);
        var labels = pod.Metadata.Labels;
        labels[UidLabel] = labels["controller-uid"] = job.Metadata.Uid;
        labels["batch.kubernetes.io/job-name"] = labels["job-name"] = job.Metadata.Name;
        pod.Metadata.Finalizers = [.. pod.Metadata.Finalizers ?? [], JobTally.Finalizer];
        return pod;
    }

    /// <summary>Whether the pod was made for this Job, also when it has been orphaned since.</summary>
    public static bool IsOf(V1Pod pod, string jobUid) => pod.Metadata.Labels?.TryGetValue(UidLabel, out var uid) == true && uid == jobUid;
}
