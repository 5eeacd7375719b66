using k8s;
using k8s.Models;

namespace Graft.Runtime;

/// <summary>Base of a custom resource: the envelope that every Kubernetes object has.</summary>
public abstract class CustomKubernetesEntity : IKubernetesObject<V1ObjectMeta>
{
    protected CustomKubernetesEntity()
    {
        var kind = ResourceKind.Of(GetType());
        ApiVersion = kind.ApiVersion;
        Kind = kind.Kind;
    }

    public string ApiVersion { get; set; }

    public string Kind { get; set; }

    public V1ObjectMeta Metadata { get; set; } = new();
}

public abstract class CustomKubernetesEntity<TSpec> : CustomKubernetesEntity, ISpec<TSpec>
{
    /// <summary>Never null in an object that the API server has validated: the generated schema requires it.</summary>
    public TSpec Spec { get; set; } = default!;
}

/// <summary>A custom resource with a status subresource. The status is null until its first write.</summary>
public abstract class CustomKubernetesEntity<TSpec, TStatus> : CustomKubernetesEntity<TSpec>, IStatus<TStatus?>
    where TStatus : class
{
    public TStatus? Status { get; set; }
}
