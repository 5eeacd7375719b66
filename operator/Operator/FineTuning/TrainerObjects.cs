using System.Text.Json;
using Graft.Contract;
using Graft.Operator.Api;
using Graft.Operator.Pods;
using Graft.Operator.Sources;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.FineTuning;

/// <summary>The objects of a run: a ConfigMap with <c>job.json</c>, and the Job whose pod reads it.</summary>
internal static class TrainerObjects
{
    public const string JobFileName = "job.json";

    public static string JobName(FineTuneJob resource) => resource.Metadata.Name;

    public static string ConfigMapName(FineTuneJob resource) => resource.Metadata.Name + "-job";

    public static V1ConfigMap ConfigMap(FineTuneJob resource, TrainerJobSpec spec) => new()
    {
        ApiVersion = "v1",
        Kind = "ConfigMap",
        Metadata = Metadata(resource, ConfigMapName(resource)),
        Data = new Dictionary<string, string>
        {
            [JobFileName] = JsonSerializer.Serialize(spec.Job, ContractJson.Indented.TrainingJob) + "\n",
        },
    };

    /// <param name="usedTime">Run time before the last suspension; it counts against the deadline.</param>
    public static V1Job Job(FineTuneJob resource, TrainerJobSpec spec, string image, FetchSettings fetch, TimeSpan usedTime)
    {
        var metadata = Metadata(resource, JobName(resource));
        metadata.Annotations = new Dictionary<string, string> { [ApiNames.JobDigestAnnotation] = spec.Digest };
        return new()
        {
            ApiVersion = "batch/v1",
            Kind = "Job",
            Metadata = metadata,
            Spec = new()
            {
                Parallelism = 1,
                Completions = 1,
                BackoffLimit = resource.Spec.Retries.Infrastructure.Limit,
                Suspend = resource.Spec.Suspend,
                ActiveDeadlineSeconds = ActiveDeadline(resource.Spec, usedTime),
                // Two trainers must never write one artifact at the same time.
                PodReplacementPolicy = "Failed",
                PodFailurePolicy = FailurePolicy(),
                Template = new() { Metadata = new() { Labels = metadata.Labels }, Spec = PodSpec(resource, spec, image, fetch) },
            },
        };
    }

    private static V1ObjectMeta Metadata(FineTuneJob resource, string name) => new()
    {
        Name = name,
        NamespaceProperty = resource.Metadata.NamespaceProperty,
        Labels = PodParts.Labels("graft-trainer", resource.Metadata.Name, ApiNames.FineTuneJobLabel),
    };

    private static V1PodSpec PodSpec(FineTuneJob resource, TrainerJobSpec spec, string image, FetchSettings fetch) => new()
    {
        RestartPolicy = "Never",
        AutomountServiceAccountToken = false,
        EnableServiceLinks = false,
        SecurityContext = PodParts.PodSecurity,
        NodeSelector = PodParts.NodeSelector(resource.Spec.Resources),
        Volumes = spec.Mounts.Volumes,
        Containers =
        [
            new()
            {
                Name = ApiNames.TrainerContainer,
                Image = image,
                Args = ["train", "--job", ContractPaths.JobFile],
                Env = PodParts.Environment(spec.Mounts, fetch),
                Ports = [new() { Name = "progress", ContainerPort = ContractPorts.Trainer, Protocol = "TCP" }],
                Resources = PodParts.Resources(resource.Spec.Resources),
                SecurityContext = PodParts.ContainerSecurity,
                VolumeMounts = spec.Mounts.Mounts,
                TerminationMessagePath = ContractPaths.TerminationLog,
                // A trainer that dies before it can say why leaves its last lines.
                TerminationMessagePolicy = "FallbackToLogsOnError",
            },
        ],
    };

    /// <summary>
    /// What cannot succeed when it is started again unchanged fails the run at once; a pod that was evicted or preempted is
    /// nobody's failure and does not count; everything else counts against the limit.
    /// </summary>
    private static V1PodFailurePolicy FailurePolicy() => new()
    {
        Rules =
        [
            new()
            {
                Action = "Ignore",
                OnPodConditions = [new() { Type = "DisruptionTarget", Status = "True" }],
            },
            new()
            {
                Action = "FailJob",
                OnExitCodes = new()
                {
                    ContainerName = ApiNames.TrainerContainer,
                    OperatorProperty = "In",
                    Values = [.. Enum.GetValues<FailureClass>().Where(c => !ExitCodes.IsRetryable(c)).Select(ExitCodes.Of).Order()],
                },
            },
        ],
    };

    private static long? ActiveDeadline(FineTuneJobSpec spec, TimeSpan usedTime) =>
        spec.ActiveDeadline is { } text ? Math.Max(1, (long)Math.Ceiling((GepDuration.Parse(text) - usedTime).TotalSeconds)) : null;
}
