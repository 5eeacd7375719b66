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
}
