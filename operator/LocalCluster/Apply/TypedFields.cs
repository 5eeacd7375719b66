using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Apply;

/// <summary>How a schema divides a value into fields: what is one leaf, what has fields of its own.</summary>
internal static class TypedFields
{
    /// <summary>The schema of a resource with the metadata that all kinds share.</summary>
    public static TypeSchema Resource(TypeSchema schema) => schema with
    {
        Properties = new Dictionary<string, TypeSchema>(schema.Properties)
        {
            ["apiVersion"] = new() { Type = "string" },
            ["kind"] = new() { Type = "string" },
            ["metadata"] = ObjectMetadataSchema.Instance,
        },
    };

    /// <summary>The schema of a member; what the schema does not know is arbitrary JSON.</summary>
    public static TypeSchema MemberOf(TypeSchema schema, string name) => schema.Member(name) ?? TypeSchema.Anything;

    public static TypeSchema ItemOf(TypeSchema schema) => schema.Items ?? TypeSchema.Anything;

    public static bool IsGranularMap(JsonNode? value, TypeSchema schema) =>
        value is JsonObject && schema.MapType != "atomic" && !(schema.Type is not null && schema.Type != "object");

    public static bool IsAssociativeList(JsonNode? value, TypeSchema schema) =>
        value is JsonArray && schema.EffectiveListType is "map" or "set";

    /// <summary>The fields of a value.</summary>
    /// <exception cref="ListItemException">An item of a list has no identity.</exception>
    public static FieldSet Of(JsonNode? value, TypeSchema schema)
    {
        if (IsGranularMap(value, schema))
        {
            return FieldSet.Node(false, value!.AsObject().Select(m =>
            {
                var below = Of(m.Value, MemberOf(schema, m.Key));
                // Declared members come with what is below them; members of a map are fields in their own right.
                var isField = m.Value is null or JsonObject { Count: 0 } || !schema.Properties.ContainsKey(m.Key);
                return KeyValuePair.Create(PathElement.Field(m.Key), isField ? Owned(below) : below);
            }));
        }
        return IsAssociativeList(value, schema)
            ? FieldSet.Node(false, value!.AsArray().Select((item, i) =>
                KeyValuePair.Create(PathElement.Item(item, i, schema), Owned(Of(item, ItemOf(schema))))))
            : FieldSet.Node(true, []);
    }

    /// <summary>The set with the declared members that contain something in it added; an owner of content owns what holds it.</summary>
    public static FieldSet WithDeclaredParents(FieldSet set, TypeSchema schema) => FieldSet.Node(set.IsOwned, set.Children.Select(c =>
    {
        var isField = c.Key[0] == 'f';
        var below = WithDeclaredParents(c.Value, isField ? MemberOf(schema, c.Key[2..]) : ItemOf(schema));
        return KeyValuePair.Create(c.Key, isField && schema.Properties.ContainsKey(c.Key[2..]) ? Owned(below) : below);
    }));

    /// <summary>
    /// A copy of a value without the fields of a set. A member that loses all it had is null then, as in the library that Kubernetes
    /// merges with (structured-merge-diff, typed/remove.go): whoever owns the member itself owns it still.
    /// </summary>
    public static JsonNode? Without(JsonNode? value, FieldSet set, TypeSchema schema)
    {
        if (set.IsEmpty)
        {
            return value?.DeepClone();
        }
        if (IsGranularMap(value, schema))
        {
            var map = new JsonObject();
            foreach (var (name, member) in value!.AsObject())
            {
                var below = set.Below(PathElement.Field(name));
                if (!below.IsOwned)
                {
                    map[name] = Without(member, below, MemberOf(schema, name));
                }
            }
            return map.Count > 0 ? map : null;
        }
        if (!IsAssociativeList(value, schema))
        {
            return value?.DeepClone();
        }
        var list = new JsonArray();
        for (var i = 0; i < value!.AsArray().Count; i++)
        {
            var item = value[i];
            var below = set.Below(PathElement.Item(item, i, schema));
            if (!below.IsOwned)
            {
                list.Add(Without(item, below, ItemOf(schema)));
            }
        }
        return list.Count > 0 ? list : null;
    }

    /// <summary>Takes away the maps and lists that <see cref="Without"/> emptied; nobody but it makes them null where null may not be.</summary>
    public static void DropEmptied(JsonNode? value, TypeSchema schema)
    {
        if (value is JsonObject map)
        {
            foreach (var (name, member) in map.ToList())
            {
                var below = MemberOf(schema, name);
                if (member is null && below is { Nullable: false, Type: "object" or "array" })
                    map.Remove(name);
                else
                    DropEmptied(member, below);
            }
        }
        foreach (var item in (value as JsonArray)?.ToList() ?? [])
            DropEmptied(item, ItemOf(schema));
    }

    private static FieldSet Owned(FieldSet set) => set.IsOwned ? set : FieldSet.Node(true, set.Children);
}
