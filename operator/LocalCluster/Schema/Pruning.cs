using System.Globalization;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Schema;

/// <summary>Removes fields that the schema does not know, as the API server does before it stores an object.</summary>
internal static class Pruning
{
    /// <summary>
    /// Removes unknown fields in place. apiVersion, kind and the known fields of metadata stay; below
    /// <c>x-kubernetes-preserve-unknown-fields</c> everything stays.
    /// </summary>
    /// <returns>The paths of what was removed, for <c>unknown field "spec.foo"</c>, in the order in which they stand.</returns>
    public static IReadOnlyList<string> Apply(JsonObject value, TypeSchema schema)
    {
        var removed = new List<string>();
        PruneResource(value, schema, "", removed);
        return removed;
    }

    /// <summary>The names of unknown fields, with the object left as it is.</summary>
    public static IReadOnlyList<string> Find(JsonObject value, TypeSchema schema) => Apply((JsonObject)value.DeepClone(), schema);

    private static void PruneResource(JsonObject value, TypeSchema schema, string path, List<string> removed)
    {
        foreach (var (name, member) in value.ToList())
        {
            if (name is "apiVersion" or "kind")
            {
                continue;
            }
            if (name == "metadata")
            {
                PruneNode(member, ObjectMetadataSchema.Instance, Join(path, name), removed);
                continue;
            }
            PruneMember(value, name, member, schema, path, removed);
        }
    }

    private static void PruneNode(JsonNode? node, TypeSchema schema, string path, List<string> removed)
    {
        switch (node)
        {
            case JsonObject o when schema.EmbeddedResource:
                PruneResource(o, schema, path, removed);
                break;
            case JsonObject o:
                foreach (var (name, member) in o.ToList())
                {
                    PruneMember(o, name, member, schema, path, removed);
                }
                break;
            case JsonArray a:
                if (schema.Items is { } items)
                {
                    for (var i = 0; i < a.Count; i++)
                    {
                        PruneNode(a[i], items, string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), removed);
                    }
                }
                break;
        }
    }

    private static void PruneMember(JsonObject parent, string name, JsonNode? member, TypeSchema schema, string path, List<string> removed)
    {
        if (schema.Member(name) is { } known)
        {
            PruneNode(member, known, Join(path, name), removed);
        }
        else if (!schema.PreserveUnknownFields)
        {
            parent.Remove(name);
            removed.Add(Join(path, name));
        }
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : path + "." + name;
}
