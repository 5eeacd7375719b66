using System.Globalization;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Jobs;

internal static class JobPods
{
    private const string IndexVariable = "JOB_COMPLETION_INDEX";

    /// <summary>Of a generated name, before its random end (apiserver, storage/names).</summary>
    private const int LongestPrefix = 58;
    private const string UidLabel = "batch.kubernetes.io/controller-uid";

    /// <param name="at">What it is for, in an Indexed Job.</param>
    public static V1Pod Make(V1Job job, IndexedPod? at = null)
    {
        var pod = Pods.FromTemplate(job.Spec.Template, job);
        if (at is { } indexed) Index(pod, job.Metadata.Name, indexed);
        var labels = pod.Metadata.Labels;
        labels[UidLabel] = labels["controller-uid"] = job.Metadata.Uid;
        labels["batch.kubernetes.io/job-name"] = labels["job-name"] = job.Metadata.Name;
        pod.Metadata.Finalizers = [.. pod.Metadata.Finalizers ?? [], JobTally.Finalizer];
        return pod;
    }

    /// <summary>The pod says its index in an annotation, a label, its hostname and each container's environment.</summary>
    private static void Index(V1Pod pod, string job, IndexedPod at)
    {
        var index = at.Index.ToString(CultureInfo.InvariantCulture);
        var tail = $"-{index}-";
        pod.Metadata.GenerateName = job[..Math.Min(job.Length, LongestPrefix - tail.Length)] + tail;
        pod.Metadata.Annotations ??= new Dictionary<string, string>();
        pod.Metadata.Annotations[JobIndexes.Annotation] = index;
        pod.Metadata.Labels[JobIndexes.Annotation] = index;
        if (at.Failures is { } failures) pod.Metadata.Annotations[JobIndexes.FailuresAnnotation] = failures.ToString(CultureInfo.InvariantCulture);
        pod.Spec = ObjectJson.Clone(pod.Spec);
        pod.Spec.Hostname = $"{job}-{index}";
        foreach (var container in pod.Spec.Containers.Concat(pod.Spec.InitContainers ?? []).Where(c => c.Env?.Any(e => e.Name == IndexVariable) != true))
        {
            var field = new V1ObjectFieldSelector { FieldPath = $"metadata.labels['{JobIndexes.Annotation}']" };
            container.Env = [.. container.Env ?? [], new V1EnvVar { Name = IndexVariable, ValueFrom = new V1EnvVarSource { FieldRef = field } }];
        }
    }

    /// <summary>Whether the pod was made for this Job, also when it has been orphaned since.</summary>
    public static bool IsOf(V1Pod pod, string jobUid) => pod.Metadata.Labels?.TryGetValue(UidLabel, out var uid) == true && uid == jobUid;
}
