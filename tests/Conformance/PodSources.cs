namespace Graft.Conformance;

/// <summary>The pages that promise what schedulers and kubelets do.</summary>
internal static partial class Sources
{
    private const string Concept = "https://kubernetes.io/docs/concepts/";
    private const string Placing = Concept + "scheduling-eviction/";
    private const string Plugins = Code + "pkg/scheduler/framework/plugins/";

    public static Source SchedulerEviction { get; } = new("scheduler/framework/types.go", Code + "pkg/scheduler/framework/types.go");

    public static Source DebugPods { get; } =
        new("Debug pods", "https://kubernetes.io/docs/tasks/debug/debug-application/debug-pods/");

    public static Source ExtendedResources { get; } =
        new("Resource management: extended resources", Concept + "configuration/manage-resources-containers/#extended-resources");

    public static Source PodScheduling { get; } =
        new("Resource management: how pods with requests are scheduled",
            Concept + "configuration/manage-resources-containers/#how-pods-with-resource-requests-are-scheduled");

    public static Source Fit { get; } = new("noderesources/fit.go", Plugins + "noderesources/fit.go");

    public static Source InitResources { get; } =
        new("Init containers: resource sharing", Concept + "workloads/pods/init-containers/#resource-sharing-within-containers");

    public static Source SidecarResources { get; } =
        new("Sidecar containers: resource sharing", Concept + "workloads/pods/sidecar-containers/#resource-sharing-within-containers");

    public static Source TaintPage { get; } = new("Taints and tolerations", Placing + "taint-and-toleration/");

    public static Source TaintEviction { get; } =
        new("Taints and tolerations: taint based evictions", Placing + "taint-and-toleration/#taint-based-evictions");

    public static Source DefaultTolerations { get; } =
        new("Admission controllers: DefaultTolerationSeconds",
            "https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#defaulttolerationseconds");

    public static Source Cordon { get; } =
        new("Nodes: manual node administration", Concept + "architecture/nodes/#manual-node-administration");

    public static Source NodeHeartbeats { get; } = new("Nodes: heartbeats", Concept + "architecture/nodes/#node-heartbeats");

    public static Source Affinity { get; } = new("Assigning pods to nodes: node affinity", Placing + "assign-pod-node/#node-affinity");

    public static Source PodAffinity { get; } = new("Assigning pods to nodes: inter-pod affinity and anti-affinity",
        Placing + "assign-pod-node/#inter-pod-affinity-and-anti-affinity");

    public static Source NodePorts { get; } = new("nodeports/node_ports.go", Plugins + "nodeports/node_ports.go");

    public static Source VolumeBinding { get; } = new("volumebinding/volume_binding.go", Plugins + "volumebinding/volume_binding.go");

    public static Source Spread { get; } =
        new("Pod topology spread constraints", Placing + "topology-spread-constraints/#topologyspreadconstraints-field");

    public static Source Gates { get; } = new("Pod scheduling readiness", Placing + "pod-scheduling-readiness/");

    public static Source OtherSchedulers { get; } = new("Configure multiple schedulers",
        "https://kubernetes.io/docs/tasks/extend-kubernetes/configure-multiple-schedulers/#specify-schedulers-for-pods");

    public static Source Binding { get; } = new("core/pod/storage/storage.go", Code + "pkg/registry/core/pod/storage/storage.go");

    public static Source PodUpdate { get; } =
        new("Pods: pod update and replacement", Concept + "workloads/pods/#pod-update-and-replacement");

    public static Source PodConditions { get; } =
        new("Pod lifecycle: pod conditions", Concept + "workloads/pods/pod-lifecycle/#pod-conditions");

    public static Source InitContainers { get; } = new("Init containers", Concept + "workloads/pods/init-containers/");

    public static Source Sidecars { get; } = new("Sidecar containers", Concept + "workloads/pods/sidecar-containers/");

    public static Source SidecarOrder { get; } =
        new("Pod lifecycle: pod termination and sidecar containers", Concept + "workloads/pods/pod-lifecycle/#termination-with-sidecars");

    public static Source RestartPolicy { get; } =
        new("Pod lifecycle: how pods handle problems with containers", Concept + "workloads/pods/pod-lifecycle/#container-restarts");

    public static Source ContainerStates { get; } =
        new("Pod lifecycle: container states", Concept + "workloads/pods/pod-lifecycle/#container-states");

    public static Source Images { get; } = new("Images: ImagePullBackOff", Concept + "containers/images/#imagepullbackoff");

    public static Source ConfigMapEnv { get; } = new("Configure a pod to use a ConfigMap",
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/#restrictions");

    public static Source TerminationMessage { get; } = new("Determine the reason for pod failure",
        "https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/");

    public static Source Hooks { get; } = new("Container lifecycle hooks", Concept + "containers/container-lifecycle-hooks/");

    public static Source Termination { get; } =
        new("Pod lifecycle: termination of pods", Concept + "workloads/pods/pod-lifecycle/#pod-termination");

    public static Source ActiveDeadline { get; } = new("kubelet/active_deadline.go", Code + "pkg/kubelet/active_deadline.go");

    public static Source StatusGenerate { get; } = new("kubelet/status/generate.go", Code + "pkg/kubelet/status/generate.go");

    public static Source ReadinessGates { get; } =
        new("Pod lifecycle: pod readiness", Concept + "workloads/pods/pod-lifecycle/#pod-readiness-gate");

    public static Source DependentVariables { get; } = new("Define dependent environment variables",
        "https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/");

    public static Source Downward { get; } = new("Downward API", Concept + "workloads/pods/downward-api/");

    public static Source ApiFromPods { get; } = new("Accessing the API from a pod",
        "https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/#directly-accessing-the-rest-api");

    public static Source MemoryLimit { get; } = new("Assign memory resources to containers and pods",
        "https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/#exceed-a-container-s-memory-limit");

    public static Source Probes { get; } = new("Configure liveness, readiness and startup probes",
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/");

    public static Source ConfigMapVolumes { get; } = new("Configure a pod to use a ConfigMap: volumes",
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/#add-configmap-data-to-a-volume");

    public static Source SecretVolumes { get; } = new("Secrets: use in a volume", Concept + "configuration/secret/#using-secrets-as-files-from-a-pod");

    public static Source AtomicWriter { get; } = new("volume/util/atomic_writer.go", Code + "pkg/volume/util/atomic_writer.go");

    public static Source Projected { get; } = new("Projected volumes", Concept + "storage/projected-volumes/");

    public static Source TokenVolumes { get; } =
        new("Projected volumes: serviceAccountToken", Concept + "storage/projected-volumes/#serviceaccounttoken");

    public static Source EmptyDir { get; } = new("Volumes: emptyDir", Concept + "storage/volumes/#emptydir");

    public static Source SubPath { get; } = new("Volumes: using subPath", Concept + "storage/volumes/#using-subpath");

    public static Source SubPathExpr { get; } = new("Volumes: using subPath with expanded environment variables",
        Concept + "storage/volumes/#using-subpath-expanded-environment");

    public static Source SubPathCode { get; } = new("kubelet/kubelet_pods.go", Code + "pkg/kubelet/kubelet_pods.go");
}
