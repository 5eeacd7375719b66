using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Apply;

/// <summary>
/// A set of fields of an object, as a tree of path elements: the content of a FieldsV1. An element is <c>f:name</c> (a member),
/// <c>k:{...}</c> (an item by its keys), <c>v:value</c> (an item of a set) or <c>i:n</c>. A node may be in the set itself, have
/// children that are, or both. Instances are immutable.
/// </summary>
internal sealed class FieldSet
{
    private static readonly SortedDictionary<string, FieldSet> NoChildren = new(PathElement.Order);

    private readonly SortedDictionary<string, FieldSet> _children;

    private FieldSet(bool isOwned, SortedDictionary<string, FieldSet> children)
    {
        IsOwned = isOwned;
        _children = children;
    }

    public static FieldSet Empty { get; } = new(false, NoChildren);

    /// <summary>Whether the node itself, apart from what is below it, is in the set.</summary>
    public bool IsOwned { get; }

    public bool IsEmpty => !IsOwned && _children.Count == 0;

    public IEnumerable<KeyValuePair<string, FieldSet>> Children => _children;

    /// <summary>The set below an element; empty where there is nothing.</summary>
    public FieldSet Below(string element) => _children.GetValueOrDefault(element, Empty);

    /// <summary>Whether the field at a path is in the set.</summary>
    public bool Has(params ReadOnlySpan<string> path)
    {
        var node = this;
        foreach (var element in path)
        {
            node = node.Below(element);
        }
        return node.IsOwned;
    }

    /// <summary>Makes a node; empty children are left out.</summary>
    public static FieldSet Node(bool isOwned, IEnumerable<KeyValuePair<string, FieldSet>> children)
    {
        SortedDictionary<string, FieldSet>? kept = null;
        foreach (var (element, child) in children)
        {
            if (!child.IsEmpty)
            {
                (kept ??= new(PathElement.Order))[element] = child;
            }
        }
        return !isOwned && kept is null ? Empty : new FieldSet(isOwned, kept ?? NoChildren);
    }

    /// <summary>A set of one field.</summary>
    public static FieldSet Of(params ReadOnlySpan<string> path)
    {
        var node = new FieldSet(true, NoChildren);
        for (var i = path.Length - 1; i >= 0; i--)
        {
            node = Node(false, [new(path[i], node)]);
        }
        return node;
    }

    public FieldSet Union(FieldSet other)
    {
        if (other.IsEmpty)
        {
            return this;
        }
        var elements = _children.Keys.Concat(other._children.Keys.Where(e => !_children.ContainsKey(e)));
        return Node(IsOwned || other.IsOwned, elements.Select(e => KeyValuePair.Create(e, Below(e).Union(other.Below(e)))));
    }

    public FieldSet Intersection(FieldSet other) => Node(
        IsOwned && other.IsOwned,
        _children.Select(c => KeyValuePair.Create(c.Key, c.Value.Intersection(other.Below(c.Key)))));

    /// <summary>What is in this set and not in the other; a field that the other has does not take what is below it along.</summary>
    public FieldSet Difference(FieldSet other) => other.IsEmpty ? this : Node(
        IsOwned && !other.IsOwned,
        _children.Select(c => KeyValuePair.Create(c.Key, c.Value.Difference(other.Below(c.Key)))));

    /// <summary>As <see cref="Difference"/>, with everything below the fields of the other set.</summary>
    public FieldSet DifferenceWithChildren(FieldSet other) => other.IsOwned ? Empty : Node(
        IsOwned, _children.Select(c => KeyValuePair.Create(c.Key, c.Value.DifferenceWithChildren(other.Below(c.Key)))));

    public bool SetEquals(FieldSet other) => IsOwned == other.IsOwned && _children.Count == other._children.Count
        && _children.All(c => other._children.TryGetValue(c.Key, out var child) && c.Value.SetEquals(child));

    /// <summary>The fields as messages name them, <c>.spec.containers[name="a"].image</c>, outer fields first.</summary>
    public IEnumerable<string> Paths() => PathsBelow("");

    private IEnumerable<string> PathsBelow(string prefix)
    {
        foreach (var (element, _) in _children.Where(c => c.Value.IsOwned))
        {
            yield return prefix + PathElement.Text(element);
        }
        foreach (var (element, child) in _children)
        {
            foreach (var path in child.PathsBelow(prefix + PathElement.Text(element)))
            {
                yield return path;
            }
        }
    }

    /// <summary>The FieldsV1 form: a node with children that is in the set itself has a member ".".</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject();
        if (IsOwned && _children.Count > 0)
        {
            json["."] = new JsonObject();
        }
        foreach (var (element, child) in _children)
        {
            json[element] = child.ToJson();
        }
        return json;
    }

    /// <summary>Reads FieldsV1; elements of a kind that is not known are left out.</summary>
    public static FieldSet FromJson(JsonObject json) => Read(json, isRoot: true);

    private static FieldSet Read(JsonObject json, bool isRoot)
    {
        var children = json
            .Where(m => m.Key != "." && m.Value is JsonObject && PathElement.Normalize(m.Key) is not null)
            .Select(m => KeyValuePair.Create(PathElement.Normalize(m.Key)!, Read((JsonObject)m.Value!, isRoot: false)))
            .ToList();
        return Node(!isRoot && (json.Count == 0 || json.ContainsKey(".")), children);
    }
}
