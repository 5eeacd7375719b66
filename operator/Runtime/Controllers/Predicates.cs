using k8s.Models;

namespace Graft.Runtime;

/// <summary>Whether a change is worth a reconcile. Old is null when the object is new; deletions always pass.</summary>
public delegate bool EventPredicate<in T>(T? old, T current);

/// <summary>The usual predicates. All let an object pass that is new.</summary>
public static class Predicates
{
    public static bool ResourceVersionChanged(IMetadata<V1ObjectMeta>? old, IMetadata<V1ObjectMeta> current) =>
        old is null || old.Metadata.ResourceVersion != current.Metadata.ResourceVersion;

    /// <summary>The spec changed (of kinds with a status subresource, only the spec moves the generation).</summary>
    public static bool GenerationChanged(IMetadata<V1ObjectMeta>? old, IMetadata<V1ObjectMeta> current) =>
        old is null || old.Metadata.Generation != current.Metadata.Generation;

    public static bool LabelsChanged(IMetadata<V1ObjectMeta>? old, IMetadata<V1ObjectMeta> current) =>
        old is null || !Same(old.Metadata.Labels, current.Metadata.Labels);

    public static bool AnnotationsChanged(IMetadata<V1ObjectMeta>? old, IMetadata<V1ObjectMeta> current) =>
        old is null || !Same(old.Metadata.Annotations, current.Metadata.Annotations);

    /// <summary>Deletion was asked for, or a finalizer came or went.</summary>
    public static bool DeletionChanged(IMetadata<V1ObjectMeta>? old, IMetadata<V1ObjectMeta> current) =>
        old is null || old.Metadata.DeletionTimestamp != current.Metadata.DeletionTimestamp
        || !(old.Metadata.Finalizers ?? []).SequenceEqual(current.Metadata.Finalizers ?? []);

    /// <summary>What people ask for changed: everything but status. The default for a controller's own kind.</summary>
    public static bool DesiredStateChanged(IMetadata<V1ObjectMeta>? old, IMetadata<V1ObjectMeta> current) =>
        GenerationChanged(old, current) || LabelsChanged(old, current) || AnnotationsChanged(old, current) || DeletionChanged(old, current);

    public static EventPredicate<T> Any<T>(params EventPredicate<T>[] predicates) => (old, current) => predicates.Any(p => p(old, current));

    public static EventPredicate<T> All<T>(params EventPredicate<T>[] predicates) => (old, current) => predicates.All(p => p(old, current));

    private static bool Same(IDictionary<string, string>? a, IDictionary<string, string>? b) =>
        (a?.Count ?? 0) == (b?.Count ?? 0) && (a is null || a.All(p => b!.TryGetValue(p.Key, out var value) && value == p.Value));
}
