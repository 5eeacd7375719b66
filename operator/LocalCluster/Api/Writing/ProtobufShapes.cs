using System.Collections.Frozen;

namespace Graft.LocalCluster.Api.Writing;

/// <summary>
/// The kinds that kubectl 1.29 to 1.33 and helm 4 send in the binary form and no other, with the field numbers of Kubernetes' own
/// <c>generated.proto</c> files (k8s.io/api and k8s.io/apimachinery).
/// </summary>
internal static class ProtobufShapes
{
    private static readonly ProtobufShape ObjectMeta = new(
        (1, Text("name")), (2, Text("generateName")), (3, Text("namespace")), (5, Text("uid")), (6, Text("resourceVersion")),
        (11, Map("labels")), (12, Map("annotations")), (14, Texts("finalizers")));

    private static readonly ProtobufShape ResourceAttributes = new(
        (1, Text("namespace")), (2, Text("verb")), (3, Text("group")), (4, Text("version")), (5, Text("resource")), (6, Text("subresource")),
        (7, Text("name")));

    private static readonly ProtobufShape UrlAttributes = new((1, Text("path")), (2, Text("verb")));

    private static readonly ProtobufShape AccessSpec = new(
        (1, Message("resourceAttributes", ResourceAttributes)), (2, Message("nonResourceAttributes", UrlAttributes)), (3, Text("user")),
        (4, Texts("groups")));

    private static readonly ProtobufShape BoundObject = new((1, Text("kind")), (2, Text("apiVersion")), (3, Text("name")), (4, Text("uid")));

    private static readonly ProtobufShape Preconditions = new((1, Text("uid")), (2, Text("resourceVersion")));

    private static readonly ProtobufShape DeleteOptions = new(
        (1, Number("gracePeriodSeconds")), (2, Message("preconditions", Preconditions)), (3, Flag("orphanDependents")),
        (4, Text("propagationPolicy")), (5, Texts("dryRun")));

    private static readonly ProtobufField PortOrName = new("", ProtobufType.NumberOrText);

    private static readonly ProtobufShape LabelSelector = new((1, Map("matchLabels")));

    private static readonly ProtobufShape ContainerPort = new(
        (1, Text("name")), (2, Count("hostPort")), (3, Count("containerPort")), (4, Text("protocol")), (5, Text("hostIP")));

    private static readonly ProtobufShape EnvironmentVariable = new((1, Text("name")), (2, Text("value")));

    private static readonly ProtobufShape Container = new(
        (1, Text("name")), (2, Text("image")), (3, Texts("command")), (4, Texts("args")), (5, Text("workingDir")),
        (6, Messages("ports", ContainerPort)), (7, Messages("env", EnvironmentVariable)), (14, Text("imagePullPolicy")), (16, Set("stdin")),
        (17, Set("stdinOnce")), (18, Set("tty")));

    private static readonly ProtobufShape PodSpec = new(
        (2, Messages("containers", Container)), (3, Text("restartPolicy")), (4, Number("terminationGracePeriodSeconds")),
        (5, Number("activeDeadlineSeconds")), (6, Text("dnsPolicy")), (7, Map("nodeSelector")), (8, Text("serviceAccountName")),
        (9, Text("serviceAccount")), (10, Text("nodeName")), (11, Set("hostNetwork")), (12, Set("hostPID")), (13, Set("hostIPC")));

    private static readonly ProtobufShape PodTemplate = new((1, Message("metadata", ObjectMeta)), (2, Message("spec", PodSpec)));

    private static readonly ProtobufShape ServicePort = new(
        (1, Text("name")), (2, Text("protocol")), (3, Count("port")), (4, PortOrName with { Name = "targetPort" }), (5, Count("nodePort")));

    private static readonly ProtobufShape Subject = new((1, Text("kind")), (2, Text("apiGroup")), (3, Text("name")), (4, Text("namespace")));

    private static readonly ProtobufShape RoleRef = new((1, Text("apiGroup")), (2, Text("kind")), (3, Text("name")));

    private static readonly ProtobufShape PolicyRule = new(
        (1, Texts("verbs")), (2, Texts("apiGroups")), (3, Texts("resources")), (4, Texts("resourceNames")), (5, Texts("nonResourceURLs")));

    private static readonly ProtobufShape Role = new((1, Message("metadata", ObjectMeta)), (2, Messages("rules", PolicyRule)));

    private static readonly ProtobufShape Binding = new(
        (1, Message("metadata", ObjectMeta)), (2, Messages("subjects", Subject)), (3, Message("roleRef", RoleRef)));

    private static readonly FrozenDictionary<string, ProtobufShape> Kinds = new Dictionary<string, ProtobufShape>
    {
        ["SelfSubjectAccessReview"] = Kind(AccessSpec),
        ["SubjectAccessReview"] = Kind(AccessSpec),
        ["LocalSubjectAccessReview"] = Kind(AccessSpec),
        ["SelfSubjectRulesReview"] = Kind(new((1, Text("namespace")))),
        ["SelfSubjectReview"] = new((1, Message("metadata", ObjectMeta))),
        ["TokenReview"] = Kind(new((1, Text("token")), (2, Texts("audiences")))),
        ["TokenRequest"] = Kind(new(
            (1, Texts("audiences")), (3, Message("boundObjectRef", BoundObject)), (4, Number("expirationSeconds")))),
        ["Namespace"] = new((1, Message("metadata", ObjectMeta))),
        ["Eviction"] = new((1, Message("metadata", ObjectMeta)), (2, Message("deleteOptions", DeleteOptions))),
        ["DeleteOptions"] = DeleteOptions,
        ["ConfigMap"] = new((1, Message("metadata", ObjectMeta)), (2, Map("data")), (3, Bytes("binaryData")), (4, Flag("immutable"))),
        ["Secret"] = new(
            (1, Message("metadata", ObjectMeta)), (2, Bytes("data")), (3, Text("type")), (4, Map("stringData")), (5, Flag("immutable"))),
        ["ServiceAccount"] = new((1, Message("metadata", ObjectMeta))),
        ["Service"] = Kind(new(
            (1, Messages("ports", ServicePort)), (2, Map("selector")), (3, Text("clusterIP")), (4, Text("type")), (5, Texts("externalIPs")),
            (7, Text("sessionAffinity")), (10, Text("externalName")))),
        ["Pod"] = Kind(PodSpec),
        ["Deployment"] = Kind(new((1, Number("replicas")), (2, Message("selector", LabelSelector)), (3, Message("template", PodTemplate)))),
        ["Job"] = Kind(new(
            (1, Number("parallelism")), (2, Number("completions")), (3, Number("activeDeadlineSeconds")), (6, Message("template", PodTemplate)),
            (7, Number("backoffLimit")), (8, Number("ttlSecondsAfterFinished")))),
        ["PodDisruptionBudget"] = Kind(new(
            (1, PortOrName with { Name = "minAvailable" }), (2, Message("selector", LabelSelector)),
            (3, PortOrName with { Name = "maxUnavailable" }))),
        ["PriorityClass"] = new(
            (1, Message("metadata", ObjectMeta)), (2, Number("value")), (3, Set("globalDefault")), (4, Text("description")),
            (5, Text("preemptionPolicy"))),
        ["Role"] = Role,
        ["ClusterRole"] = Role,
        ["RoleBinding"] = Binding,
        ["ClusterRoleBinding"] = Binding,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static ProtobufShape? Find(string kind) => Kinds.GetValueOrDefault(kind);

    private static ProtobufShape Kind(ProtobufShape spec) => new((1, Message("metadata", ObjectMeta)), (2, Message("spec", spec)));

    private static ProtobufField Text(string name) => new(name, ProtobufType.Text);

    private static ProtobufField Texts(string name) => new(name, ProtobufType.Texts);

    /// <summary>A number that may be zero, and is sent only where it is set.</summary>
    private static ProtobufField Number(string name) => new(name, ProtobufType.Number);

    /// <summary>A number that is always sent, and means nothing where it is zero.</summary>
    private static ProtobufField Count(string name) => new(name, ProtobufType.Count);

    private static ProtobufField Flag(string name) => new(name, ProtobufType.Flag);

    /// <summary>A flag that is always sent, and means nothing where it is false.</summary>
    private static ProtobufField Set(string name) => new(name, ProtobufType.Set);

    private static ProtobufField Map(string name) => new(name, ProtobufType.Map);

    private static ProtobufField Bytes(string name) => new(name, ProtobufType.Bytes);

    private static ProtobufField Message(string name, ProtobufShape shape) => new(name, ProtobufType.Message, shape);

    private static ProtobufField Messages(string name, ProtobufShape shape) => new(name, ProtobufType.Messages, shape);
}
