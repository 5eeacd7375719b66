using System.Collections.Concurrent;
using System.Reflection;
using k8s;
using k8s.Models;

namespace Graft.Runtime;

/// <summary>A kind as the API serves it: where its objects live and how they are called.</summary>
/// <param name="Group">Empty for the core group.</param>
public sealed record ResourceKind(string Group, string Version, string Kind, string Plural, bool Namespaced)
{
    private static readonly HashSet<string> ClusterKinds =
    [
        "APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding", "ComponentStatus",
        "CustomResourceDefinition", "FlowSchema", "IngressClass", "MutatingWebhookConfiguration", "Namespace", "Node",
        "PersistentVolume", "PriorityClass", "PriorityLevelConfiguration", "RuntimeClass", "StorageClass",
        "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration", "VolumeAttachment",
    ];

    // A cache of pure functions of the type; nothing observable depends on it.
    private static readonly ConcurrentDictionary<Type, ResourceKind> Known = new();

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>The kind that a C# type describes by [KubernetesEntity] and [EntityScope].</summary>
    public static ResourceKind Of<T>() where T : IKubernetesObject => Of(typeof(T));

    /// <inheritdoc cref="Of{T}"/>
    public static ResourceKind Of(Type type) => Known.GetOrAdd(type, static t =>
    {
        var entity = t.GetCustomAttribute<KubernetesEntityAttribute>()
            ?? throw new ArgumentException($"{t.Name} has no [KubernetesEntity] attribute, so its kind is not known.", nameof(type));
        var scope = t.GetCustomAttribute<EntityScopeAttribute>()?.Scope
            ?? (t.Assembly == typeof(V1Pod).Assembly && ClusterKinds.Contains(entity.Kind) ? EntityScope.Cluster : EntityScope.Namespaced);
        var plural = string.IsNullOrEmpty(entity.PluralName) ? $"{entity.Kind.ToLowerInvariant()}s" : entity.PluralName;
        return new ResourceKind(entity.Group ?? "", entity.ApiVersion, entity.Kind, plural, scope == EntityScope.Namespaced);
    });

    /// <summary>Path of the collection, of one object, or of its subresource, relative to the server's root.</summary>
    public string Path(string? ns = null, string? name = null, string? subresource = null)
    {
        var root = Group.Length == 0 ? $"api/{Version}" : $"apis/{Group}/{Version}";
        var path = string.IsNullOrEmpty(ns) || !Namespaced ? $"{root}/{Plural}" : $"{root}/namespaces/{Uri.EscapeDataString(ns)}/{Plural}";
        if (name is not null)
            path += $"/{Uri.EscapeDataString(name)}";
        return subresource is null ? path : $"{path}/{subresource}";
    }
}
