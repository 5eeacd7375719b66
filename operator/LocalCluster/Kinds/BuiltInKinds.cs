using System.Reflection;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;
using k8s.Models;

namespace Graft.LocalCluster.Kinds;

/// <summary>
/// The kinds that are served from the start. To serve another one, add an entry: its model gives group, version, names and schema, and the
/// rest says where it differs from a plain document.
/// </summary>
internal static class BuiltInKinds
{
    private static readonly ScalePaths Replicas = new(["spec", "replicas"], ["status", "replicas"], ["spec", "selector"]);

    public static IEnumerable<ResourceKind> All(ModelSchemas schemas) => [.. Core(schemas), .. Workloads(schemas), .. Policy(schemas), .. NotOffered(schemas)];

    private static IEnumerable<ResourceKind> Core(ModelSchemas schemas) =>
    [
        Of<V1Namespace>(schemas) with
        {
            ShortNames = ["ns"], Namespaced = false, HasStatus = true, Names = NameRule.Label, DeletesCollections = false,
            Columns = PrinterColumns.Namespaces, Rules = CoreRules.Namespaces, SelectableFields = Fields(["status", "phase"]),
        },
        Of<V1Pod>(schemas) with
        {
            ShortNames = ["po"], Categories = ["all"], HasStatus = true,
            Connections = ["log", "proxy", "binding", "eviction", "exec", "attach", "portforward", "ephemeralcontainers"],
            DeletesGracefully = true, CountsGenerations = true, Columns = WorkloadColumns.Pods, Rules = PodRules.Rules,
            SelectableFields = Fields(["spec", "nodeName"], ["spec", "restartPolicy"], ["spec", "schedulerName"],
                ["spec", "serviceAccountName"], ["status", "phase"], ["status", "podIP"], ["status", "nominatedNodeName"]),
        },
        Of<V1Service>(schemas) with
        {
            ShortNames = ["svc"], Categories = ["all"], HasStatus = true, Names = NameRule.Label1035,
            Columns = WorkloadColumns.Services, Rules = CoreRules.Services,
            SelectableFields = Fields(["spec", "clusterIP"], ["spec", "type"]),
        },
        Of<V1Endpoints>(schemas) with { ShortNames = ["ep"], Columns = PrinterColumns.Endpoints },
        Of<Corev1Event>(schemas) with
        {
            ShortNames = ["ev"], Columns = PrinterColumns.Events,
            SelectableFields = Fields(["involvedObject", "kind"], ["involvedObject", "namespace"], ["involvedObject", "name"],
                ["involvedObject", "uid"], ["involvedObject", "apiVersion"], ["involvedObject", "resourceVersion"],
                ["involvedObject", "fieldPath"], ["reason"], ["reportingComponent"], ["source", "component"], ["type"]),
        },
        Of<V1ConfigMap>(schemas) with { ShortNames = ["cm"], Columns = PrinterColumns.ConfigMaps, Rules = CoreRules.ConfigMaps },
        Of<V1Secret>(schemas) with { Columns = PrinterColumns.Secrets, Rules = CoreRules.Secrets, SelectableFields = Fields(["type"]) },
        Of<V1ServiceAccount>(schemas) with { ShortNames = ["sa"], Columns = PrinterColumns.ServiceAccounts },
        Of<V1PersistentVolumeClaim>(schemas) with
        {
            ShortNames = ["pvc"], HasStatus = true, Columns = WorkloadColumns.PersistentVolumeClaims,
            Rules = CoreRules.PersistentVolumeClaims,
        },
        Of<V1PersistentVolume>(schemas) with
        {
            ShortNames = ["pv"], Namespaced = false, HasStatus = true, Columns = WorkloadColumns.PersistentVolumes,
            Rules = CoreRules.PersistentVolumes,
        },
        Of<V1Node>(schemas) with
        {
            ShortNames = ["no"], Namespaced = false, HasStatus = true, Columns = PrinterColumns.Nodes,
            SelectableFields = Fields(["spec", "unschedulable"]),
        },
    ];

    private static IEnumerable<ResourceKind> Workloads(ModelSchemas schemas) =>
    [
        Of<V1Deployment>(schemas) with
        {
            ShortNames = ["deploy"], Categories = ["all"], HasStatus = true, Scale = Replicas, CountsGenerations = true,
            CountsAnnotations = true,
            Columns = WorkloadColumns.Deployments, Rules = WorkloadRules.Deployments,
        },
        Of<V1ReplicaSet>(schemas) with
        {
            ShortNames = ["rs"], Categories = ["all"], HasStatus = true, Scale = Replicas, CountsGenerations = true,
            Columns = WorkloadColumns.ReplicaSets, Rules = WorkloadRules.ReplicaSets, SelectableFields = Fields(["status", "replicas"]),
        },
        Of<V1Job>(schemas) with
        {
            Categories = ["all"], HasStatus = true, CountsGenerations = true, Columns = WorkloadColumns.Jobs, Rules = WorkloadRules.Jobs,
            SelectableFields = Fields(["status", "successful"]),
        },
        Of<V1Lease>(schemas) with { Columns = PrinterColumns.Leases, AllowsUnconditionalUpdate = false },
        Of<V1EndpointSlice>(schemas) with { Columns = PrinterColumns.EndpointSlices },
        Of<V1StorageClass>(schemas) with
        {
            ShortNames = ["sc"], Namespaced = false, Columns = PrinterColumns.StorageClasses, Rules = CoreRules.StorageClasses,
        },
    ];

    private static IEnumerable<ResourceKind> Policy(ModelSchemas schemas) =>
    [
        Of<V1PodDisruptionBudget>(schemas) with
        {
            ShortNames = ["pdb"], HasStatus = true, CountsGenerations = true, Columns = PrinterColumns.PodDisruptionBudgets,
            Rules = DisruptionRules.Rules,
        },
        Of<V1Role>(schemas) with { Columns = PrinterColumns.CreatedAt, Names = NameRule.PathSegment },
        Of<V1RoleBinding>(schemas) with
        {
            Columns = PrinterColumns.RoleBindings, Names = NameRule.PathSegment, Rules = CoreRules.RoleBindings,
        },
        Of<V1ClusterRole>(schemas) with { Namespaced = false, Columns = PrinterColumns.CreatedAt, Names = NameRule.PathSegment },
        Of<V1ClusterRoleBinding>(schemas) with
        {
            Namespaced = false, Columns = PrinterColumns.RoleBindings, Names = NameRule.PathSegment, Rules = CoreRules.RoleBindings,
        },
        Of<V1CustomResourceDefinition>(schemas) with
        {
            ShortNames = ["crd", "crds"], Categories = ["api-extensions"], Namespaced = false, HasStatus = true, CountsGenerations = true,
            AllowsUnconditionalUpdate = false, Columns = PrinterColumns.CreatedAt, Rules = DefinitionRules.Rules,
        },
        Of<V1SelfSubjectAccessReview>(schemas) with { Plural = "selfsubjectaccessreviews", Namespaced = false, IsVirtual = true },
        Of<V1SubjectAccessReview>(schemas) with { Plural = "subjectaccessreviews", Namespaced = false, IsVirtual = true },
        Of<V1SelfSubjectRulesReview>(schemas) with { Plural = "selfsubjectrulesreviews", Namespaced = false, IsVirtual = true },
        Of<V1TokenReview>(schemas) with { Plural = "tokenreviews", Namespaced = false, IsVirtual = true },
        Of<V1SelfSubjectReview>(schemas) with { Plural = "selfsubjectreviews", Namespaced = false, IsVirtual = true },
        Of<V1LocalSubjectAccessReview>(schemas) with { Plural = "localsubjectaccessreviews", IsVirtual = true },
    ];

    private static IEnumerable<ResourceKind> NotOffered(ModelSchemas schemas) =>
    [
        Of<V1ReplicationController>(schemas) with { ShortNames = ["rc"], Instead = "use a Deployment" },
        Of<V1ResourceQuota>(schemas) with { ShortNames = ["quota"], Instead = "nothing counts what a namespace uses" },
        Of<V1LimitRange>(schemas) with { ShortNames = ["limits"], Instead = "give each container its own requests and limits" },
        Of<V1DaemonSet>(schemas) with { ShortNames = ["ds"], Instead = "use a Deployment" },
        Of<V1StatefulSet>(schemas) with { ShortNames = ["sts"], Instead = "use a Deployment with a PersistentVolumeClaim" },
        Of<V1CronJob>(schemas) with { ShortNames = ["cj"], Instead = "use a Job" },
        Of<V1Ingress>(schemas) with { ShortNames = ["ing"], Instead = "use the address of the Service: this machine reaches it" },
    ];

    private static ResourceKind Of<T>(ModelSchemas schemas)
    {
        var entity = typeof(T).GetCustomAttribute<KubernetesEntityAttribute>()
            ?? throw new ArgumentException($"{typeof(T).Name} is not a kind");
        return new ResourceKind
        {
            Group = entity.Group,
            Version = entity.ApiVersion,
            Kind = entity.Kind,
            Plural = entity.PluralName,
            Schema = schemas.Of(typeof(T)),
        };
    }

    private static Dictionary<string, Func<JsonObject, string>> Fields(params string[][] paths) => paths.ToDictionary(
        path => string.Join('.', path), path => (Func<JsonObject, string>)(obj => obj.At(path).AsText() ?? ""), StringComparer.Ordinal);
}
