using k8s.Models;

namespace Graft.Runtime;

/// <summary>Namespace and name of an object within its kind. The namespace is empty for cluster-scoped kinds.</summary>
public readonly record struct ObjectKey(string Namespace, string Name)
{
    public static ObjectKey Of(IMetadata<V1ObjectMeta> obj) => new(obj.Metadata.NamespaceProperty ?? "", obj.Metadata.Name);

    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
}

/// <summary>Order of resource versions, which are decimal numbers without leading zeros (KEP-5504).</summary>
public static class ResourceVersions
{
    /// <summary>Negative when a is older than b. An absent version is older than any.</summary>
    public static int Compare(string? a, string? b)
    {
        a ??= "";
        b ??= "";
        return a.Length != b.Length ? a.Length.CompareTo(b.Length) : string.CompareOrdinal(a, b);
    }
}
