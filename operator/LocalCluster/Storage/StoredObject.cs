using System.Text.Json;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Storage;

/// <summary>The kind of object as the store knows it: all versions of a kind share one table.</summary>
internal readonly record struct GroupResource(string Group, string Resource)
{
    /// <summary>The form of error messages: <c>pods</c>, <c>deployments.apps</c>.</summary>
    public override string ToString() => Group.Length == 0 ? Resource : $"{Resource}.{Group}";
}

/// <summary>Identity inside a table; the namespace of a cluster-scoped object is empty.</summary>
internal readonly record struct ObjectKey(string Namespace, string Name) : IComparable<ObjectKey>
{
    /// <summary>The order in which lists are served and continued.</summary>
    public int CompareTo(ObjectKey other)
    {
        var byNamespace = string.CompareOrdinal(Namespace, other.Namespace);
        return byNamespace != 0 ? byNamespace : string.CompareOrdinal(Name, other.Name);
    }

    public static bool operator <(ObjectKey left, ObjectKey right) => left.CompareTo(right) < 0;
    public static bool operator >(ObjectKey left, ObjectKey right) => left.CompareTo(right) > 0;
    public static bool operator <=(ObjectKey left, ObjectKey right) => left.CompareTo(right) <= 0;
    public static bool operator >=(ObjectKey left, ObjectKey right) => left.CompareTo(right) >= 0;
}

/// <summary>One version of one object. The content is never changed once it is here: clone it to change it.</summary>
internal sealed class StoredObject(ObjectKey key, JsonObject content, long resourceVersion)
{
    private byte[]? _json;

    public ObjectKey Key { get; } = key;

    public JsonObject Content { get; } = content;

    public long ResourceVersion { get; } = resourceVersion;

    /// <summary>The content as UTF-8, made once however many readers and watchers are sent it.</summary>
    public ReadOnlyMemory<byte> Json => _json ??= JsonSerializer.SerializeToUtf8Bytes(Content);

    public JsonObject Copy() => (JsonObject)Content.DeepClone();
}

internal enum StoreEventType
{
    Added,
    Modified,
    Deleted,
}

/// <summary>A committed change. <see cref="Current"/> of a deletion is the last state, stamped with the deletion's version.</summary>
internal sealed record StoreEvent(StoreEventType Type, StoredObject Current, StoredObject? Previous)
{
    public long ResourceVersion => Current.ResourceVersion;
}
