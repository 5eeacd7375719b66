namespace Graft.Operator.Api;

/// <summary>Every group, label, annotation and field manager name that the operator writes.</summary>
internal static class ApiNames
{
    public const string Group = "graft.dev";
    public const string Version = "v1alpha1";
    public const string ApiVersion = Group + "/" + Version;
    public const string Category = "graft";

    /// <summary>The owner of the fields that the operator applies.</summary>
    public const string FieldManager = "graft-operator";

    /// <summary>On every object that a FineTuneJob owns: its name.</summary>
    public const string FineTuneJobLabel = Group + "/fine-tune-job";

    /// <summary>On every object that an AdapterDeployment owns: its name.</summary>
    public const string AdapterDeploymentLabel = Group + "/adapter-deployment";

    /// <summary>On a trainer Job: the digest of the <c>job.json</c> that it runs.</summary>
    public const string JobDigestAnnotation = Group + "/job-digest";

    public const string NameLabel = "app.kubernetes.io/name";
    public const string InstanceLabel = "app.kubernetes.io/instance";
    public const string ManagedByLabel = "app.kubernetes.io/managed-by";

    public const string TrainerContainer = "trainer";
    public const string ServerContainer = "server";
    public const string GpuResource = "nvidia.com/gpu";
    public const string GpuProductLabel = "nvidia.com/gpu.product";
}

/// <summary>Condition types. The first three are kstatus' contract, read by Flux and <c>kubectl wait</c>.</summary>
internal static class ConditionTypes
{
    public const string Ready = "Ready";
    public const string Reconciling = "Reconciling";
    public const string Stalled = "Stalled";
    public const string Succeeded = "Succeeded";
    public const string Available = "Available";

    /// <summary>As of a Deployment: True while it moves and when it has arrived, False when it does not come further.</summary>
    public const string Progressing = "Progressing";
}

/// <summary>Condition reasons beside the trainer's failure classes, which are reasons as they are.</summary>
internal static class Reasons
{
    public const string InvalidSpec = "InvalidSpec";
    public const string UnsupportedSource = "UnsupportedSource";
    public const string NameConflict = "NameConflict";
    public const string ApplyRefused = "ApplyRefused";
    public const string DeadlineExceeded = "DeadlineExceeded";
    public const string FineTuneJobFailed = "FineTuneJobFailed";
    public const string LoadFailed = "LoadFailed";

    /// <summary>By the facts of the adapter the engine will not serve it, so that no pod was asked.</summary>
    public const string AdapterRefused = "AdapterRefused";
    public const string PodFailing = "PodFailing";
    public const string ImagePullFailed = "ImagePullFailed";
    public const string ContainerCreationFailed = "ContainerCreationFailed";
    public const string NotStalled = "NotStalled";
    public const string NotSuspended = "NotSuspended";

    /// <summary>
    /// Refusals before anything ran. They are looked at again in every pass, because the operator's options may change;
    /// every other reason to stall is final.
    /// </summary>
    public static bool IsRefusal(string? reason) => reason is InvalidSpec or UnsupportedSource or NameConflict or ApplyRefused;
}
