using Graft.Operator.Api;
using Graft.Operator.FineTuning;
using Graft.Operator.Pods;
using Graft.Operator.Rollout;
using Graft.Runtime;
using k8s;
using k8s.Models;

namespace Graft.Operator.Generate;

/// <param name="Trainer">Null leaves it to the operator's own default.</param>
/// <param name="Server">Likewise.</param>
internal sealed record OperatorImages(string Operator, string? Trainer = null, string? Server = null)
{
    public IEnumerable<string> Arguments =>
    [
        .. Trainer is null ? [] : new[] { "--trainer-image", Trainer },
        .. Server is null ? [] : new[] { "--server-image", Server },
    ];
}

/// <summary>The operator's own objects: namespace, service account, the rights that its controllers say they use, Deployment.</summary>
internal static class OperatorManifests
{
    private const string Name = ApiNames.FieldManager;
    private const string NamespaceName = "graft-system";
    private const int HealthPort = 8081;

    public static V1Namespace Namespace() => new()
    {
        ApiVersion = "v1",
        Kind = "Namespace",
        Metadata = new()
        {
            Name = NamespaceName,
            Labels = new Dictionary<string, string> { ["pod-security.kubernetes.io/enforce"] = "restricted" },
        },
    };

    public static IEnumerable<IKubernetesObject> Rbac()
    {
        yield return new V1ServiceAccount { ApiVersion = "v1", Kind = "ServiceAccount", Metadata = Meta(Name) };
        yield return RbacGenerator.ClusterRole(Name, [typeof(FineTuneJobController), typeof(AdapterDeploymentController)]);
        yield return new V1ClusterRoleBinding
        {
            ApiVersion = "rbac.authorization.k8s.io/v1",
            Kind = "ClusterRoleBinding",
            Metadata = new() { Name = Name },
            RoleRef = new() { ApiGroup = "rbac.authorization.k8s.io", Kind = "ClusterRole", Name = Name },
            Subjects = [Subject],
        };
        yield return RbacGenerator.Role(Name + "-leader", NamespaceName, [typeof(LeaderRights)]);
        yield return new V1RoleBinding
        {
            ApiVersion = "rbac.authorization.k8s.io/v1",
            Kind = "RoleBinding",
            Metadata = Meta(Name + "-leader"),
            RoleRef = new() { ApiGroup = "rbac.authorization.k8s.io", Kind = "Role", Name = Name + "-leader" },
            Subjects = [Subject],
        };
    }

    public static V1Deployment Deployment(OperatorImages images)
    {
        var labels = new Dictionary<string, string> { [ApiNames.NameLabel] = Name };
        return new()
        {
            ApiVersion = "apps/v1",
            Kind = "Deployment",
            Metadata = Meta(Name),
            Spec = new()
            {
                Replicas = 1,
                Selector = new() { MatchLabels = labels },
                Template = new() { Metadata = new() { Labels = labels }, Spec = PodSpec(images) },
            },
        };
    }

    private static V1PodSpec PodSpec(OperatorImages images) => new()
    {
        ServiceAccountName = Name,
        SecurityContext = PodParts.PodSecurity,
        Containers =
        [
            new()
            {
                Name = "operator",
                Image = images.Operator,
                Args = ["run", "--leader-elect", "--endpoint", $"http://0.0.0.0:{HealthPort}", .. images.Arguments],
                Env = [new() { Name = "DOTNET_EnableDiagnostics", Value = "0" }],
                Ports = [new() { Name = "health", ContainerPort = HealthPort, Protocol = "TCP" }],
                LivenessProbe = Probe("/healthz"),
                ReadinessProbe = Probe("/readyz"),
                Resources = new()
                {
                    Requests = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("50m"), ["memory"] = new("128Mi") },
                    Limits = new Dictionary<string, ResourceQuantity> { ["memory"] = new("512Mi") },
                },
                SecurityContext = PodParts.ContainerSecurity,
            },
        ],
    };

    private static V1Probe Probe(string path) => new() { HttpGet = new() { Path = path, Port = HealthPort }, PeriodSeconds = 10 };

    private static V1ObjectMeta Meta(string name) => new() { Name = name, NamespaceProperty = NamespaceName };

    private static Rbacv1Subject Subject => new() { Kind = "ServiceAccount", Name = Name, NamespaceProperty = NamespaceName };

    /// <summary>
    /// What an operator outside the cluster needs beside the roles: it reaches programs in pods through the API server. Granted to
    /// no one here, because such an operator acts with the rights of whoever the kubeconfig names.
    /// </summary>
    public static IList<V1PolicyRule> RulesOutside { get; } = RbacGenerator.Rules([typeof(OutsideRights)]);

    // A creation has no name that a rule could be about.
    [EntityRbac(typeof(V1Lease), Verbs = RbacVerb.Create)]
    [EntityRbac(typeof(V1Lease), ResourceNames = [Name], Verbs = RbacVerb.Get | RbacVerb.Update)]
    private static class LeaderRights;

    [EntityRbac(typeof(V1Pod), Subresource = "proxy", Verbs = RbacVerb.Get | RbacVerb.Create)]
    private static class OutsideRights;
}
