using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Apply;

/// <summary>The fields in which two objects differ; no field is in more than one of the sets.</summary>
internal sealed record Comparison(FieldSet Added, FieldSet Modified, FieldSet Removed)
{
    private static readonly Comparison Nothing = new(FieldSet.Empty, FieldSet.Empty, FieldSet.Empty);

    public bool IsSame => Added.IsEmpty && Modified.IsEmpty && Removed.IsEmpty;

    /// <summary>Compares two versions of an object.</summary>
    /// <exception cref="ListItemException">An item of a list has no identity.</exception>
    public static Comparison Of(JsonObject old, JsonObject value, TypeSchema schema) =>
        Of(new Slot(true, old), new Slot(true, value), schema);

    /// <summary>The comparison without some fields and all that is below them.</summary>
    public Comparison Without(FieldSet ignored) => ignored.IsEmpty ? this : new(
        Added.DifferenceWithChildren(ignored), Modified.DifferenceWithChildren(ignored), Removed.DifferenceWithChildren(ignored));

    private static Comparison Of(Slot old, Slot now, TypeSchema schema)
    {
        var parts = Parts(old, now, schema);
        if (parts is not null)
        {
            List<KeyValuePair<string, FieldSet>> added = [], modified = [], removed = [];
            foreach (var (element, (before, after, type)) in parts)
            {
                var part = Of(before, after, type);
                added.Add(KeyValuePair.Create(element, part.Added));
                modified.Add(KeyValuePair.Create(element, part.Modified));
                removed.Add(KeyValuePair.Create(element, part.Removed));
            }
            return new(FieldSet.Node(!old.Exists, added), FieldSet.Node(false, modified), FieldSet.Node(!now.Exists, removed));
        }
        var field = FieldSet.Of();
        return (old.Exists, now.Exists) switch
        {
            (false, _) => Nothing with { Added = field },
            (_, false) => Nothing with { Removed = field },
            _ when JsonEquality.Same(old.Value, now.Value) => Nothing,
            // What became something else entirely loses the parts that it had, and gains those that it has.
            _ => new(PartsOf(now.Value, schema), field, PartsOf(old.Value, schema)),
        };
    }

    private static FieldSet PartsOf(JsonNode? value, TypeSchema schema) => FieldSet.Node(false, TypedFields.Of(value, schema).Children);

    /// <summary>The parts of a map or list of which at least one side has content, or null for a leaf.</summary>
    private static Dictionary<string, (Slot Before, Slot After, TypeSchema Type)>? Parts(Slot old, Slot now, TypeSchema schema)
    {
        var isMap = IsEither(old, now, value => TypedFields.IsGranularMap(value, schema));
        var isList = IsEither(old, now, value => TypedFields.IsAssociativeList(value, schema));
        if ((!isMap && !isList) || (Count(old) == 0 && Count(now) == 0))
        {
            return null;
        }
        var parts = new Dictionary<string, (Slot Before, Slot After, TypeSchema Type)>(StringComparer.Ordinal);
        foreach (var (element, value, type) in Members(old.Value, schema))
        {
            parts[element] = (new Slot(true, value), default, type);
        }
        foreach (var (element, value, type) in Members(now.Value, schema))
        {
            parts[element] = (parts.GetValueOrDefault(element).Before, new Slot(true, value), type);
        }
        return parts;
    }

    /// <summary>True where both sides, as far as they exist and are not null, are of the kind.</summary>
    private static bool IsEither(Slot old, Slot now, Func<JsonNode?, bool> isKind) =>
        (isKind(old.Value) || isKind(now.Value)) && (old.Value is null || isKind(old.Value)) && (now.Value is null || isKind(now.Value));

    private static int Count(Slot slot) => slot.Value switch
    {
        JsonObject o => o.Count,
        JsonArray a => a.Count,
        _ => 0,
    };

    private static IEnumerable<(string Element, JsonNode? Value, TypeSchema Type)> Members(JsonNode? value, TypeSchema schema) => value switch
    {
        JsonObject o => o.Select(m => (PathElement.Field(m.Key), m.Value, TypedFields.MemberOf(schema, m.Key))),
        JsonArray a => a.Select((item, i) => (PathElement.Item(item, i, schema), item, TypedFields.ItemOf(schema))),
        _ => [],
    };

    /// <summary>A value that may be absent, which is not the same as null.</summary>
    private readonly record struct Slot(bool Exists, JsonNode? Value);
}
