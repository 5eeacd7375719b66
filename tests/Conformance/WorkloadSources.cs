namespace Graft.Conformance;

/// <summary>The pages that promise what controllers do.</summary>
internal static partial class Sources
{
    private const string Controllers = Concept + "workloads/controllers/";
    private const string Enhancements = "https://github.com/kubernetes/enhancements/tree/master/keps/";

    public static Source Jobs { get; } = new("Jobs", Controllers + "job/");

    public static Source ParallelJobs { get; } = new("Jobs: parallel execution", Controllers + "job/#parallel-jobs");

    public static Source JobCompletionMode { get; } = new("Jobs: completion mode", Controllers + "job/#completion-mode");

    public static Source JobBackoff { get; } = new("Jobs: backoff failure policy", Controllers + "job/#pod-backoff-failure-policy");

    public static Source JobBackoffPerIndex { get; } = new("Jobs: backoff limit per index", Controllers + "job/#backoff-limit-per-index");

    public static Source JobFailurePolicy { get; } = new("Jobs: pod failure policy", Controllers + "job/#pod-failure-policy");

    public static Source JobSuccessPolicy { get; } = new("Jobs: success policy", Controllers + "job/#success-policy");

    public static Source JobTermination { get; } = new("Jobs: termination and cleanup", Controllers + "job/#job-termination-and-cleanup");

    public static Source JobSuspension { get; } = new("Jobs: suspending a Job", Controllers + "job/#suspending-a-job");

    public static Source JobSelector { get; } = new("Jobs: specifying your own pod selector", Controllers + "job/#specifying-your-own-pod-selector");

    public static Source JobTimeToLive { get; } = new("TTL after finished", Concept + "workloads/controllers/ttlafterfinished/");

    public static Source JobManagedBy { get; } = new("KEP-4368: managed-by", Enhancements + "sig-apps/4368-support-managed-by-for-batch-jobs");

    public static Source JobValidation { get; } = new("batch/validation.go", Code + "pkg/apis/batch/validation/validation.go");

    public static Source IndexedJobs { get; } = new("job/indexed_job_utils.go", Code + "pkg/controller/job/indexed_job_utils.go");

    public static Source Deployments { get; } = new("Deployments", Controllers + "deployment/");

    public static Source DeploymentStatus { get; } = new("Deployments: status", Controllers + "deployment/#deployment-status");

    public static Source PodTemplateHash { get; } = new("Deployments: pod-template-hash label", Controllers + "deployment/#pod-template-hash-label");

    public static Source RollingBack { get; } = new("Deployments: rolling back", Controllers + "deployment/#rolling-back-a-deployment");

    public static Source PausedDeployments { get; } = new("Deployments: pausing and resuming", Controllers + "deployment/#pausing-and-resuming-a-deployment");

    public static Source AppsValidation { get; } = new("apps/validation.go", Code + "pkg/apis/apps/validation/validation.go");

    public static Source ReplicaSets { get; } = new("ReplicaSet", Controllers + "replicaset/");

    public static Source PodDeletionCost { get; } = new("ReplicaSet: pod deletion cost", Controllers + "replicaset/#pod-deletion-cost");

    public static Source EndpointSlices { get; } = new("EndpointSlices", Concept + "services-networking/endpoint-slices/");

    public static Source Eviction { get; } = new("API-initiated eviction", Concept + "scheduling-eviction/api-eviction/");

    public static Source EvictionStorage { get; } = new("core/pod/storage/eviction.go", Code + "pkg/registry/core/pod/storage/eviction.go");

    public static Source Budgets { get; } = new("Specifying a disruption budget", "https://kubernetes.io/docs/tasks/run-application/configure-pdb/");

    public static Source CoreValidation { get; } = new("core/validation.go", Code + "pkg/apis/core/validation/validation.go");

    public static Source ClaimProtection { get; } = new("Persistent volumes: storage object in use protection",
        Concept + "storage/persistent-volumes/#storage-object-in-use-protection");

    public static Source VolumeBindingPage { get; } = new("Persistent volumes: binding", Concept + "storage/persistent-volumes/#binding");

    public static Source Reclaiming { get; } = new("Persistent volumes: reclaiming", Concept + "storage/persistent-volumes/#reclaiming");

    public static Source PolicyValidation { get; } = new("policy/validation.go", Code + "pkg/apis/policy/validation/validation.go");
}
