using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Schema;

/// <summary>
/// Fills in the schema's defaults, from the outside in, so that a default object gets the defaults of its own members, and drops nulls
/// that mean "absent".
/// </summary>
internal static class Defaulting
{
    /// <summary>
    /// Completes a value in place. A null where the schema permits none is replaced by the default, or removed where there is none;
    /// only nulls in lists stay, for <see cref="SchemaValidator"/> to refuse.
    /// </summary>
    public static void Apply(JsonNode? value, TypeSchema schema)
    {
        switch (value)
        {
            case JsonObject o:
                CompleteObject(o, schema);
                break;
            case JsonArray a when schema.Items is { } items:
                for (var i = 0; i < a.Count; i++)
                {
                    if (a[i] is null && Fills(items))
                    {
                        a[i] = items.Default!.DeepClone();
                    }
                    Apply(a[i], items);
                }
                break;
        }
    }

    private static void CompleteObject(JsonObject value, TypeSchema schema)
    {
        foreach (var (name, member) in value.ToList())
        {
            if (member is null && schema.Member(name) is { Nullable: false, PreserveUnknownFields: false } known)
            {
                value.Remove(name);
                if (Fills(known))
                {
                    value[name] = known.Default!.DeepClone();
                }
            }
        }
        foreach (var (name, property) in schema.Properties)
        {
            if (property is { HasDefault: true, Default: not null } && !value.ContainsKey(name))
            {
                value[name] = property.Default.DeepClone();
            }
        }
        foreach (var (name, member) in value.ToList())
        {
            if (schema.Member(name) is { } known)
            {
                Apply(member, known);
            }
        }
    }

    private static bool Fills(TypeSchema schema) => schema is { HasDefault: true, Nullable: false, Default: not null };
}
