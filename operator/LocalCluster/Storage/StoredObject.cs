using System.Text.Encodings.Web;
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

/// <summary>
/// One version of one object. It is kept as UTF-8, which takes a tenth of the memory of its tree and is what lists and watches send;
/// the tree is made when somebody looks into it and let go with the next collection.
/// </summary>
internal sealed class StoredObject
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private WeakReference<JsonObject>? _content;

    /// <summary>An object as it was decided on; its tree is not changed any more.</summary>
    public StoredObject(ObjectKey key, JsonObject content, long resourceVersion)
        : this(key, ToUtf8(content), resourceVersion)
    {
        _content = new WeakReference<JsonObject>(content);
    }

    /// <summary>An object as it was read from a file.</summary>
    public StoredObject(ObjectKey key, byte[] json, long resourceVersion) => (Key, Utf8, ResourceVersion) = (key, json, resourceVersion);

    public ObjectKey Key { get; }

    public long ResourceVersion { get; }

    /// <summary>The schema by which a reader found that the object lacks no default; a mark for the next readers.</summary>
    public object? CompleteBy { get; set; }

    /// <summary>The whole object, resourceVersion included.</summary>
    public ReadOnlyMemory<byte> Json => Utf8;

    internal byte[] Utf8 { get; }

    /// <summary>The object's tree. It is never changed once it is here: clone it to change it.</summary>
    public JsonObject Content
    {
        get
        {
            if (_content is { } known && known.TryGetTarget(out var content))
                return content;
            content = (JsonObject)JsonNode.Parse(Utf8)!;
            _content = new WeakReference<JsonObject>(content);
            return content;
        }
    }

    public IReadOnlyDictionary<string, string> Labels => ObjectLabels.Of(Utf8);

    /// <summary>Whether the object is written in this version of its kind.</summary>
    public bool IsIn(string apiVersion)
    {
        var reader = new Utf8JsonReader(Utf8);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var found = reader.ValueTextEquals("apiVersion"u8);
            reader.Read();
            if (found)
                return reader.TokenType == JsonTokenType.String && reader.ValueTextEquals(apiVersion);
            reader.Skip();
        }
        return false;
    }

    public JsonObject Copy() => (JsonObject)Content.DeepClone();

    private static byte[] ToUtf8(JsonObject content)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, Writing))
            content.WriteTo(writer);
        return bytes.ToArray();
    }
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
